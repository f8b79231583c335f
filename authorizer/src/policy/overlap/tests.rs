//! The overlaps of whole tables, and the work that finding them takes.

use std::fmt::Write;

use access::route::Segment;

use super::*;

#[test]
fn a_number_that_is_inserted_twice_is_in_the_set() {
    let mut bits = Bits::default();
    for number in [3, 64, 3, 200, 64] {
        bits.insert(number);
    }
    let held: Vec<usize> = (0..300).filter(|number| bits.contains(*number)).collect();
    assert_eq!(held, [3, 64, 200]);
}

/// What is denied for each route of these paths that is allowed, what is closed, and what is left of the budget.
fn told(paths: &[&str], budget: &mut Budget) -> String {
    let segments: Vec<Vec<Segment>> = paths
        .iter()
        .map(|path| {
            path.split('/')
                .skip(1)
                .filter(|part| !part.is_empty())
                .map(|part| part.parse().unwrap())
                .collect()
        })
        .collect();
    let all = Paths::new(segments.iter().map(Vec::as_slice));
    let own: Vec<usize> = (0..paths.len()).collect();
    let overlaps = Overlaps::of(&own, &all, budget);
    let mut told = String::new();
    for (allowed, path) in paths.iter().enumerate() {
        let needed = overlaps.denials_for([allowed].into_iter());
        let denied = overlaps.denials.iter().enumerate().filter(|(number, _)| needed.contains(*number));
        let denied: Vec<String> = denied
            .map(|(_, denial)| {
                let whole = || format!("all of {}", paths[denial.route]);
                format!(
                    " {}{}",
                    denial.path.clone().unwrap_or_else(whole),
                    if denial.has_slash { "/" } else { "" }
                )
            })
            .collect();
        writeln!(told, "{path} denies{}", denied.concat()).unwrap();
    }
    let closed =
        overlaps.closed(&own, &all, budget, |allowed, denied, closed, _| allowed != closed || denied == 0);
    for Closed { allowed, denied, route, path } in closed {
        writeln!(told, "{path} of {} is closed by {} for {}", paths[route], paths[denied], paths[allowed])
            .unwrap();
    }
    writeln!(told, "{budget:?}").unwrap();
    told
}

#[test]
fn overlaps_take_so_much_of_the_budget() {
    let tables: [&[&str]; 7] = [
        &["/{a}/b/c/d/e/f/g/h", "/a/{b}/c/d/e/f/g/h", "/a/b/c/d/e/f/g/{h}"],
        &["/{a}/{b}", "/orders/{b}", "/orders/latest"],
        &["/{a}", "/{a}/b/{c}", "/", "/{a}/b"],
        &["/{proxy+}", "/a/{rest+}", "/a/b"],
        &["/{x}/a/{y}", "/{p+}", "/x/a/{q+}", "/x/{r}/a/{s}"],
        &["/c/{id}/src/{path+}", "/c/{id}/{kind}/tax", "/c/{id}/src/tax"],
        &["/a/{x+}", "/a/{x}/b/{y+}", "/a/{x}/b/{y}/c", "/{p}/{q}/b/c/c"],
    ];
    let mut all = String::new();
    for paths in tables {
        all += &told(paths, &mut Budget::default());
    }
    insta::assert_snapshot!(all, @r#"
    /{a}/b/c/d/e/f/g/h denies /a/b/c/d/e/f/g/h
    /a/{b}/c/d/e/f/g/h denies /a/b/c/d/e/f/g/h
    /a/b/c/d/e/f/g/{h} denies
    Budget { steps: 1999552, denials: 4999, steps_for_closed: 499880 }
    /{a}/{b} denies /orders/* /orders/latest /orders/latest/
    /orders/{b} denies /orders/latest /orders/latest/
    /orders/latest denies
    /orders/latest of /orders/latest is closed by /orders/{b} for /{a}/{b}
    Budget { steps: 1999785, denials: 4997, steps_for_closed: 499945 }
    /{a} denies /*/b/* / /*/b /*/b/
    /{a}/b/{c} denies /*/b/
    / denies
    /{a}/b denies /*/b/b
    /1/b/b of /{a}/b/{c} is closed by /{a}/b for /{a}
    Budget { steps: 1999798, denials: 4995, steps_for_closed: 499969 }
    /{proxy+} denies /a/* /a/b /a/b/
    /a/{rest+} denies /a/b /a/b/ /a/
    /a/b denies
    /a/b of /a/b is closed by /a/{rest+} for /{proxy+}
    Budget { steps: 1999763, denials: 4996, steps_for_closed: 499946 }
    /{x}/a/{y} denies /*/a/* /*/a/ /x/a/* /x/a/*/a/* /x/a/a/* /x/a/*/a/ /x/*/a/*
    /{p+} denies /x/a/* /x/*/a/* /*/a/*
    /x/a/{q+} denies /x/a/
    /x/{r}/a/{s} denies /x/a/*/a/* /x/a/a/* /x/a/*/a/ /x/*/a/* /x/*/a/ /x/a/a/
    /x/a/1 of /x/a/{q+} is closed by /{p+} for /{x}/a/{y}
    /x/1/a/1 of /x/{r}/a/{s} is closed by /{p+} for /{x}/a/{y}
    /x/a/1/a/1 of /{p+} is closed by /x/a/{q+} for /{x}/a/{y}
    /x/1/1/a/1/1 of /{p+} is closed by /x/{r}/a/{s} for /{x}/a/{y}
    /x/a/1/a/1 of /x/a/{q+} is closed by /x/{r}/a/{s} for /{x}/a/{y}
    /1/1/a/1/1 of /{p+} is closed by /{x}/a/{y} for /{p+}
    /x/a/1 of /x/a/{q+} is closed by /{x}/a/{y} for /{p+}
    /x/1/a/1 of /x/{r}/a/{s} is closed by /{x}/a/{y} for /{p+}
    /x/a/1/a/1 of /x/a/{q+} is closed by /{p+} for /x/{r}/a/{s}
    Budget { steps: 1998775, denials: 4988, steps_for_closed: 499323 }
    /c/{id}/src/{path+} denies /c/*/src/tax /c/*/src/tax/
    /c/{id}/{kind}/tax denies /c/*/src/tax /c/*/src/*/*/tax /c/*/src/*/tax
    /c/{id}/src/tax denies /c/*/src/*/src/tax /c/*/src/src/tax
    /c/1/src/1/src/tax of /c/{id}/src/{path+} is closed by /c/{id}/src/tax for /c/{id}/{kind}/tax
    Budget { steps: 1999429, denials: 4994, steps_for_closed: 499912 }
    /a/{x+} denies /a/*/b/* /a/*/b/*/c /a/*/b/*/c/
    /a/{x}/b/{y+} denies /a/*/b/*/c /a/*/b/*/c/ /a/*/b/* /a/*/b/
    /a/{x}/b/{y}/c denies /a/*/b/*/c /a/*/b/*/c /a/*/b/*/b/*/c /a/*/b/b/*/c
    /{p}/{q}/b/c/c denies /a/*/*/b/c/c /a/*/b/c/c /a/*/b/*/*/b/c/c /a/*/b/*/b/c/c /a/*/b/b/c/c /a/*/b/c/c
    /a/1/b/1/c of /a/{x}/b/{y}/c is closed by /a/{x}/b/{y+} for /a/{x+}
    /a/1/1/b/1/1/c of /a/{x+} is closed by /a/{x}/b/{y}/c for /a/{x}/b/{y+}
    /a/1/b/1/1/c of /a/{x}/b/{y+} is closed by /a/{x}/b/{y}/c for /a/{x+}
    /a/1/b/1 of /a/{x}/b/{y+} is closed by /a/{x+} for /a/{x}/b/{y+}
    /a/1/b/1/c of /a/{x}/b/{y}/c is closed by /a/{x+} for /a/{x}/b/{y+}
    /a/1/b/1/1/c of /a/{x}/b/{y+} is closed by /a/{x+} for /a/{x}/b/{y}/c
    /a/1/b/1/c of /a/{x}/b/{y}/c is closed by /a/{x+} for /a/{x}/b/{y}/c
    /a/1/1/b/1/1/c of /a/{x+} is closed by /a/{x}/b/{y+} for /a/{x}/b/{y}/c
    /a/1/1/b/1/1/b/1/1/c of /a/{x+} is closed by /a/{x}/b/{y+} for /a/{x}/b/{y}/c
    /a/1/1/b/b/1/1/c of /a/{x+} is closed by /a/{x}/b/{y+} for /a/{x}/b/{y}/c
    Budget { steps: 1998512, denials: 4985, steps_for_closed: 499354 }
    "#);
}

#[test]
fn whole_routes_are_denied_where_the_budget_ends() {
    let paths = ["/{a}/{b}", "/orders/{b}", "/orders/latest"];
    let mut all = String::new();
    let budgets = [(0, 3, 0), (50, 3, 0), (215, 3, 0), (216, 3, 0), (216, 2, 0), (216, 1, 0), (216, 0, 500)];
    for (steps, denials, steps_for_closed) in budgets {
        let told = told(&paths, &mut Budget { steps, denials, steps_for_closed });
        write!(all, "{steps} steps, {denials} denials\n{told}").unwrap();
    }
    insta::assert_snapshot!(all, @r#"
    0 steps, 3 denials
    /{a}/{b} denies all of /orders/{b} all of /orders/{b}/ all of /orders/latest all of /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/ all of /{a}/{b} all of /{a}/{b}/
    /orders/latest denies all of /orders/{b} all of /{a}/{b}
    Budget { steps: 0, denials: 3, steps_for_closed: 0 }
    50 steps, 3 denials
    /{a}/{b} denies /orders/* all of /orders/{b}/ all of /orders/latest all of /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/ all of /{a}/{b} all of /{a}/{b}/
    /orders/latest denies all of /{a}/{b} all of /orders/{b}
    Budget { steps: 0, denials: 2, steps_for_closed: 0 }
    215 steps, 3 denials
    /{a}/{b} denies /orders/* /orders/latest /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/
    /orders/latest denies all of /orders/{b}
    Budget { steps: 0, denials: 0, steps_for_closed: 0 }
    216 steps, 3 denials
    /{a}/{b} denies /orders/* /orders/latest /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/
    /orders/latest denies
    Budget { steps: 1, denials: 0, steps_for_closed: 0 }
    216 steps, 2 denials
    /{a}/{b} denies /orders/* /orders/latest all of /orders/latest/
    /orders/{b} denies all of /orders/latest/ all of /orders/latest
    /orders/latest denies
    Budget { steps: 31, denials: 0, steps_for_closed: 0 }
    216 steps, 1 denials
    /{a}/{b} denies /orders/* all of /orders/{b}/ all of /orders/latest all of /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/
    /orders/latest denies
    Budget { steps: 61, denials: 0, steps_for_closed: 0 }
    216 steps, 0 denials
    /{a}/{b} denies all of /orders/{b} all of /orders/{b}/ all of /orders/latest all of /orders/latest/
    /orders/{b} denies all of /orders/latest all of /orders/latest/
    /orders/latest denies
    /orders/latest of /orders/latest is closed by /orders/{b} for /{a}/{b}
    Budget { steps: 86, denials: 0, steps_for_closed: 445 }
    "#);
    let is_closed = |steps_for_closed: &usize| {
        let mut budget = Budget { steps_for_closed: *steps_for_closed, ..Budget::default() };
        told(&paths, &mut budget).contains("is closed")
    };
    assert_eq!((0..100).find(is_closed), Some(21));
}
