//! The `tracing` events.

use std::fmt::Write;

use super::*;

/// What the client tells by `tracing`.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("client") && *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_renewal_that_fails_is_told_and_holds_no_secret() {
    let told = Told::default();
    let _guard = tracing::subscriber::set_default(told.clone());
    let world = World::new(|n, _| if n == 0 { numbered(n) } else { refused("invalid_client") }).await;
    world.token().await.unwrap();
    assert_eq!(*told.0.lock().unwrap(), [""; 0]);
    world.pass(2700);
    world.token().await.unwrap();
    world.settle().await;
    assert_eq!(
        *told.0.lock().unwrap(),
        [
            r#"INFO message=client refused, reading its credentials again client_id="id""#,
            r#"WARN message=token not renewed scopes="a/read" reason="invalid_client" expires_in_seconds=900 error=the token endpoint refused: `invalid_client`"#,
        ]
    );
    world.pass(900);
    assert_eq!(world.token().await, Err("invalid_client"));
    assert_eq!(told.0.lock().unwrap().len(), 3, "what a caller is told as an error is not told twice");
}
