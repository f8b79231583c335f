//! The whole system: what is started in which order, and stopped again.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use access::{
    Route, Scope, Table,
    log::{Level, Log},
};
use aws_sdk_dynamodb::Client as DynamoDb;
use gateway::{
    http::{Clock, Handle},
    invoke::{Invoke, InvokeError},
    rest::{Gateway, GatewayError, served::Served},
    template::{self, Facts, Stack, TemplateError, UserPool},
};
use serde_json::json;
use tokens::rotate::{RotateError, new_secret};
use tokio::{
    sync::SetOnce,
    task::{JoinSet, spawn_blocking},
};
use uuid::Uuid;

use crate::{
    access_log,
    clients::{Client, Clients, ClientsError},
    console::{Console, Decisions, Watched},
    data::{DataError, DataFolder},
    database::{Database, DatabaseError},
    demo::{self, DemoError},
    explain::Explainer,
    front::{self, Front},
    functions::{self, FunctionsError, Surroundings},
    issuer::{Issuer, KeyError, SavedKeysError},
    options::Options,
    port::{Port, PortError, Server},
    rotation::{Rotator, RotatorError},
    routes::{self, RoutesError},
    schedule::{ScheduleError, Schedules},
    secrets::{ClientSecrets, SecretsError},
    template_file::{self, TemplateFileError},
};

/// A running system.
pub struct Local {
    address: SocketAddr,
    clients: Clients,
    issuer: Arc<Issuer>,
    console: Arc<Console>,
    functions: Arc<dyn Invoke>,
    /// Logical ids by the names of binaries.
    names: BTreeMap<String, String>,
    /// `None` where the functions run elsewhere.
    database: Option<Database>,
    /// The schedules that are played.
    playing: JoinSet<()>,
    schedules: Schedules,
    needs: BTreeMap<String, String>,
    /// For callers, then for the functions' own calls.
    servers: Vec<Server>,
}

/// Why the system does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template cannot be read.
    #[error(transparent)]
    TemplateFile(#[from] TemplateFileError),
    /// The template asks for something that cannot be honoured here.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template has no user pool, so no token could be issued.
    #[error("the template `{}` has no user pool", .0.display())]
    NoUserPool(PathBuf),
    /// The port cannot be served on.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The authorizer has no routes.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// The clients' credentials cannot be made.
    #[error(transparent)]
    Credentials(#[from] RotateError),
    /// The clients file cannot be written.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The issuer has no signing keys.
    #[error(transparent)]
    Keys(#[from] SavedKeysError),
    /// The clients have no secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Secrets cannot be rotated.
    #[error(transparent)]
    Rotator(#[from] RotatorError),
    /// The tables cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A schedule cannot be played.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The gateway cannot serve the API.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A function cannot be started.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// The demo stock cannot be loaded.
    #[error(transparent)]
    Demo(#[from] DemoError),
}

impl Local {
    /// Starts everything, and returns when requests are answered. `clock` is where all of it takes its time from; the
    /// functions write their lines to `log`.
    ///
    /// The port is taken before the clients file is written, so that a start that fails leaves the file of a system that
    /// runs alone, and opened after, so that the port is never open without it.
    ///
    /// # Errors
    /// If any part does not start; then nothing is left running.
    pub async fn start(options: Options, clock: Clock, log: Log) -> Result<Self, StartError> {
        let template = template_file::read(&options.template)?;
        let port = Port::take(options.port)?;
        let address = port.address;

        let mut facts = Facts::default();
        for logical_id in template.logical_ids("AWS::Cognito::UserPoolClient") {
            facts.client_secrets.insert(logical_id.to_owned(), new_secret()?);
        }
        let mut stack = template.stack(&facts)?;
        let routes = routes(&mut stack, &options, clock, &log)?;
        let needs = routes.iter().flat_map(Table::routes).map(needs).collect();
        let pool =
            stack.user_pool.as_ref().ok_or_else(|| StartError::NoUserPool(options.template.clone()))?;
        let schedules = Schedules::of(&stack.functions, &facts.account_id, &facts.region)?;
        let folder = options.data.as_deref().map(DataFolder::open).transpose()?.map(Arc::new);
        let base = format!("http://{address}");
        let secrets = Arc::new(ClientSecrets::open(folder.clone(), clients(pool, &facts), base.clone())?);
        let clients = secrets.clients();
        let issuer = issuer(&facts.region, pool, &secrets, folder.clone()).await?;
        // Callers that fill the port must not keep out the calls that their own requests make.
        let mut own_port = None;
        let (functions, database) = if let Some(endpoint) = &options.functions {
            (functions::elsewhere(endpoint, &stack, &base, clock, log.clone())?, None)
        } else {
            let database = Database::start(folder.as_deref())?;
            for table in stack.tables.values() {
                database.create_table(table)?;
            }
            let base = &format!("http://{}", own_port.insert(Port::take(0)?).address);
            let (dynamodb, log) = (database.client(), log.clone());
            let surroundings = Surroundings { base, stack: &stack, secrets: &secrets, dynamodb, clock, log };
            (functions::here(&surroundings)?, Some(database))
        };

        let decisions = Arc::new(Decisions::new(Uuid::new_v4(), &clients));
        let (shown, access_log) = (Arc::clone(&decisions), log.clone());
        let told = move |served: &Served| {
            let now = clock();
            access_log::record(&access_log, served, now);
            shown.record(served, now);
        };
        let gateway = Arc::new(Gateway::new(stack.api.clone(), Arc::clone(&functions.invoke), clock, told)?);
        tell_shadowed(&gateway, &stack, clock, &log);
        let rotator =
            Rotator::new(Arc::clone(&secrets), &base, options.clients_file.clone(), clock, log.clone())?;
        // With functions elsewhere the template may lack settings of the authorizer.
        let explainer = Explainer::of_stack(&stack, &base, clock, log).ok();
        let watched = Watched {
            issuer: Arc::clone(&issuer),
            gateway: Arc::clone(&gateway),
            routes,
            authorizers: functions.authorizers,
            explainer,
            decisions,
        };
        let console = Arc::new(Console::new(address.port(), &clients, watched, clock)?);

        clients.write(&options.clients_file)?;
        let ready = Arc::new(SetOnce::new());
        let front = Front {
            issuer: Arc::clone(&issuer),
            console: Arc::clone(&console),
            gateway,
            functions: Arc::clone(&functions.invoke),
            schedules: schedules.clone(),
            rotator: Arc::new(rotator),
            ready: Arc::clone(&ready),
            clock,
        };
        let front: Arc<dyn Handle> = Arc::new(front);
        let ports = [Some(port), own_port].into_iter().flatten();
        let servers =
            ports.map(|port| Server::start(port, Arc::clone(&front), clock)).collect::<Result<_, _>>()?;
        let names =
            stack.functions.iter().map(|(id, function)| (function.binary.clone(), id.clone())).collect();
        let mut local = Self {
            address,
            clients,
            issuer,
            console,
            functions: functions.invoke,
            names,
            database,
            playing: JoinSet::new(),
            schedules,
            needs,
            servers,
        };

        // The keys come over loopback from the issuer that answers since a moment ago.
        functions.prepare.await;
        local.console.prepare().await;
        if !options.no_demo
            && options.functions.is_none()
            && let Some(inventory) = local.names.get("inventory")
        {
            demo::load(local.functions.as_ref(), inventory, clock().into()).await?;
        }
        if local.database.is_some() {
            // Functions elsewhere are somebody's work in progress, which only their calls should start.
            local.playing = local.schedules.play(&local.functions, clock);
        }
        // It is set only here.
        _ = ready.set(());
        Ok(local)
    }

    /// Where it serves, on 127.0.0.1.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The clients and their credentials at the start. A rotation writes the new ones to the clients file.
    pub const fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The scopes that each route needs.
    pub const fn needs(&self) -> &BTreeMap<String, String> {
        &self.needs
    }

    /// The issuer of the tokens.
    pub const fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// A client of the database, for a function that runs beside those that were started here. `None` where the
    /// functions run elsewhere, with a database of their own.
    pub fn dynamodb(&self) -> Option<DynamoDb> {
        self.database.as_ref().map(Database::client)
    }

    /// The expression of every schedule that is played, after the name of its function's binary.
    pub fn schedules(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_played = self.database.is_some();
        let schedules = self.schedules.iter().filter(move |_| is_played);
        schedules.map(|scheduled| (scheduled.binary.as_str(), scheduled.schedule.expression.as_str()))
    }

    /// The address of the console page, with the key that its buttons need. Only the system's owner may see it.
    pub fn console_url(&self) -> String {
        format!("http://{}/_local/#{}", self.address, self.console.key())
    }

    /// Invokes a function by the name of its binary, past the gateway.
    ///
    /// # Errors
    /// If there is no such function, or it fails.
    pub async fn invoke(&self, binary: &str, event: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let function = self.names.get(binary);
        let function = function.ok_or_else(|| InvokeError::Unavailable(format!("no function `{binary}`")))?;
        self.functions.invoke(function, event).await
    }

    /// Takes no more requests, lets those that run finish within a few seconds, and closes the data.
    pub async fn stop(self) {
        self.console.close();
        drop(self.playing);
        for server in self.servers {
            server.stop().await;
        }
        if let Some(database) = self.database {
            database.stop().await;
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A route and the scopes that it needs.
fn needs(route: &Route) -> (String, String) {
    let scopes: Vec<&str> = route.scopes().iter().map(Scope::as_str).collect();
    (route.to_string(), scopes.join(" "))
}

/// The routes of the stack's authorizer.
fn routes(
    stack: &mut Stack,
    options: &Options,
    clock: Clock,
    log: &Log,
) -> Result<Option<Table>, RoutesError> {
    match routes::fill(stack, &options.template) {
        // An authorizer elsewhere has its own table, which may be right.
        Err(error) if options.functions.is_some() && !stack.functions.values().any(routes::is_release) => {
            let line = json!({ "event": "routes_differ", "detail": error.to_string() });
            log.record(Level::Warn, clock(), &line);
            Ok(None)
        }
        filled => filled,
    }
}

/// Tells of routes that the template's API does not get here.
fn tell_shadowed(gateway: &Gateway, stack: &Stack, clock: Clock, log: &Log) {
    for (path, resource) in front::shadowed(gateway, &stack.api) {
        let line = json!({ "event": "route_shadowed", "path": path, "resource": resource });
        log.record(Level::Warn, clock(), &line);
    }
}

/// The credentials of the pool's clients, by name.
fn clients(pool: &UserPool, facts: &Facts) -> Clients {
    let client = |(logical_id, client): (&String, &template::Client)| {
        let client_secret = facts.client_secrets.get(logical_id)?.clone();
        let scopes = client.scopes.clone();
        Some((client.name.clone(), Client { client_id: client.id.clone(), client_secret, scopes }))
    };
    Clients(pool.clients.iter().filter_map(client).collect())
}

/// The issuer for the pool's clients. Making keys blocks the thread for some tenths of a second.
async fn issuer(
    region: &str,
    pool: &UserPool,
    secrets: &Arc<ClientSecrets>,
    folder: Option<Arc<DataFolder>>,
) -> Result<Arc<Issuer>, StartError> {
    let clients = pool.clients.values().cloned().collect();
    let (region, pool_id, secrets) = (region.to_owned(), pool.id.clone(), Arc::clone(secrets));
    let issuer = spawn_blocking(move || Issuer::open(folder, &region, &pool_id, clients, secrets));
    Ok(Arc::new(issuer.await.unwrap_or_else(|_| Err(KeyError::Generate.into()))?))
}
