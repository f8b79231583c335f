//! What a pattern matches of a path, and the steps that finding it takes: they are what bounds the work at start.

use std::fmt::Write;

use super::*;

fn segments(path: &str) -> Vec<Segment> {
    path.split('/').skip(1).map(|segment| segment.parse().unwrap()).collect()
}

#[test]
fn what_a_pattern_matches_takes_so_many_steps() {
    let pairs = [
        ("/a/b", "/a/b"),
        ("/a/b", "/a/{x}"),
        ("/{x}", "/a/b/c"),
        ("/a/{x}", "/b/{x}"),
        ("/a/{x}", "/a/{x}/b/{y}"),
        ("/{x}/a/{y}", "/x/a/a/y"),
        ("/{x}/a/{y}", "/{p}/{q}/{r}/{s}"),
        ("/{x}/a/b/c/d/{y}", "/{p}/{q}/{r}/{s}/{t}/{u}"),
        ("/{x}/{y}", "/{p}/b"),
        ("/{x}/a/{y}/b/{z}", "/{p+}"),
        ("/a/{x+}", "/{p}/{q+}"),
        ("/a/{x}/b", "/a/{p+}"),
        ("/a/{x}", "/{p}/{q}/a"),
        ("/{x}/a", "/a/{p}/a/{q}"),
        ("/{w}/l1/{x}/l2/{y}/l3", "/{p}/l1/{q+}"),
    ];
    let mut told = String::new();
    for (pattern, path) in pairs {
        let (own, other) = (segments(pattern), segments(path));
        let paths = Paths::new([own.as_slice(), &other].into_iter());
        let [pattern_shape, path_shape] = &paths.shapes[..] else { panic!("two paths") };
        writeln!(told, "{pattern} on {path}").unwrap();
        let meets = pattern_shape.meets(path_shape);
        assert_eq!(meets, paths.meet(0, 1));
        for (has_slash, meets) in [false, true].into_iter().zip(meets) {
            let find = |mut left: usize| {
                let found = Matcher::default().instances(pattern_shape, path_shape, has_slash, &mut left);
                found.map(|found| (found, left))
            };
            let (found, left) = find(1_000_000).unwrap();
            let steps = 1_000_000 - left;
            assert_eq!(find(steps), Some((found.clone(), 0)));
            assert_eq!(find(steps - 1), None);
            assert_eq!(!found.is_empty(), meets, "{pattern} on {path}, {has_slash}");
            write!(told, "  {steps}:").unwrap();
            for instance in &found {
                let end = if has_slash { "/" } else { "" };
                write!(told, " {}{end}", paths.literals.path(instance, "*")).unwrap();
            }
            told.push('\n');
        }
    }
    insta::assert_snapshot!(told, @r#"
    /a/b on /a/b
      8: /a/b
      2:
    /a/b on /a/{x}
      8: /a/b
      2:
    /{x} on /a/b/c
      11: /a/b/c
      11: /a/b/c/
    /a/{x} on /b/{x}
      2:
      2:
    /a/{x} on /a/{x}/b/{y}
      14: /a/*/b/*
      14: /a/*/b/*/
    /{x}/a/{y} on /x/a/a/y
      14: /x/a/a/y
      14: /x/a/a/y/
    /{x}/a/{y} on /{p}/{q}/{r}/{s}
      23: /*/*/a/* /*/a/*/*
      32: /*/*/*/a/ /*/*/a/*/ /*/a/*/*/
    /{x}/a/b/c/d/{y} on /{p}/{q}/{r}/{s}/{t}/{u}
      27: /*/a/b/c/d/*
      45: /*/*/a/b/c/d/ /*/a/b/c/d/*/
    /{x}/{y} on /{p}/b
      8: /*/b
      8: /*/b/
    /{x}/a/{y}/b/{z} on /{p+}
      13: /*/a/*/b/*
      20: /*/a/*/b/*/ /*/a/*/b/
    /a/{x+} on /{p}/{q+}
      8: /a/*
      8: /a/*/
    /a/{x}/b on /a/{p+}
      10: /a/*/b
      2:
    /a/{x} on /{p}/{q}/a
      11: /a/*/a
      11: /a/*/a/
    /{x}/a on /a/{p}/a/{q}
      14: /a/*/a/a
      4:
    /{w}/l1/{x}/l2/{y}/l3 on /{p}/l1/{q+}
      47: /*/l1/*/l2/*/l3 /*/l1/*/l1/*/l2/*/l3 /*/l1/l1/*/l2/*/l3
      3:
    "#);
}
