//! Every cell of the matrix against a second table, written by hand from the duties of each role.

use std::fmt::Write;

use super::*;
use crate::domain::schema::Schema;

/// Role, levels of its area, and for each class what it may do: a = add, c = change, r = remove.
const DUTIES: &str = "
household         village       declaration:ac
grid_worker       village       facts:acr declaration:ac verification:ac help:ac proposal:ac
village_cadre     village       facts:acr declaration:ac verification:ac help:ac proposal:ac
village_committee village       declaration:a appraisal:ac
township_office   township      facts:acr declaration:ac verification:ac help:ac assignment:ac proposal:ac review:ac warning:a
county_office     county        declaration:a help:ac assignment:ac decision:ac warning:a
city              city
department        county,city   facts:a declaration:a help:ac warning:a withdrawal:a
operator          -
";

const VILLAGE: u64 = 431_022_208_217;
const LEVELS: [(&str, u64, u64); 5] = [
    ("province", 43, 44),
    ("city", 4310, 4311),
    ("county", 431_022, 431_025),
    ("township", 431_022_208, 431_022_209),
    ("village", VILLAGE, 431_022_208_218),
];

fn expected(role: Role, level: &str, class: FieldClass, action: Action) -> bool {
    let line = DUTIES.lines().find(|line| line.split_whitespace().next() == Some(role.code()));
    let mut words = line.unwrap().split_whitespace().skip(1);
    let at_level = words.next().unwrap().split(',').any(|listed| listed == level);
    let letter = &action.code()[..1];
    at_level
        && words.any(|word| {
            word.split_once(':')
                .is_some_and(|(listed, may)| listed == class.code() && may.contains(letter))
        })
}

#[test]
fn every_cell_is_as_the_duties_say() {
    let mut cells = 0;
    for role in Role::ALL {
        for (level, inside, outside) in LEVELS {
            for class in FieldClass::ALL {
                for action in Action::ALL {
                    let here = may(role, place(role, &[inside], VILLAGE), class, action);
                    let there = may(role, place(role, &[outside], VILLAGE), class, action);
                    let none = may(role, place(role, &[], VILLAGE), class, action);
                    let expected = expected(role, level, class, action);
                    // A household is bound to its own record, not to an area.
                    let is_household = role == Role::Household;
                    let cell = format!("{role:?} {level} {class:?} {action:?}");
                    assert_eq!(here, expected && !is_household, "{cell}");
                    assert!(!there && !none, "{cell} outside");
                    let own = may(role, Place::Own, class, action);
                    assert_eq!(own && level == "village", expected && is_household, "{cell} own");
                    cells += 4;
                }
            }
        }
    }
    assert_eq!(cells, 9 * 5 * 11 * 3 * 4);
}

#[test]
fn each_level_grants_the_one_below_and_no_more() {
    let (city, county, township) = (4310, 431_022, 431_022_208);
    let granted = [
        (Role::City, city, Role::CountyOffice, county),
        (Role::City, city, Role::Department, county),
        (Role::City, city, Role::Department, city),
        (Role::CountyOffice, county, Role::TownshipOffice, township),
        (Role::TownshipOffice, township, Role::VillageCadre, VILLAGE),
        (Role::TownshipOffice, township, Role::VillageCommittee, VILLAGE),
        (Role::TownshipOffice, township, Role::GridWorker, VILLAGE),
        (Role::VillageCommittee, VILLAGE, Role::GridWorker, VILLAGE),
        (Role::VillageCommittee, VILLAGE, Role::Household, VILLAGE),
    ];
    for granter in Role::ALL {
        for own in [city, county, township, VILLAGE] {
            for role in Role::ALL {
                for area in [city, county, township, VILLAGE] {
                    assert_eq!(
                        may_grant(granter, &[own], role, &[area]),
                        granted.contains(&(granter, own, role, area)),
                        "{granter:?} of {own} to {role:?} of {area}"
                    );
                }
            }
        }
    }
    let elsewhere = [431_025_100_216];
    assert!(!may_grant(Role::TownshipOffice, &[township], Role::VillageCadre, &elsewhere));
    let one_too_many = [VILLAGE, 431_025_100_216];
    assert!(!may_grant(Role::TownshipOffice, &[township], Role::VillageCadre, &one_too_many));
    assert!(!may_grant(Role::TownshipOffice, &[township], Role::VillageCadre, &[]));
}

#[test]
fn township_and_county_decide_for_their_own_villages() {
    for role in Role::ALL {
        for (level, inside, outside) in LEVELS {
            let decides = matches!(
                (role, level),
                (Role::TownshipOffice, "township") | (Role::CountyOffice, "county")
            );
            assert_eq!(may_decide(role, &[inside], VILLAGE), decides, "{role:?} {level}");
            assert!(!may_decide(role, &[outside], VILLAGE), "{role:?} {level} outside");
            let moves = decides || (role, level) == (Role::City, "city");
            assert_eq!(may_move(role, &[inside], VILLAGE), moves, "{role:?} {level}");
            assert!(!may_move(role, &[outside], VILLAGE), "{role:?} {level} outside");
        }
    }
}

#[test]
fn a_household_and_an_operator_look_at_nobody() {
    let looks = [
        (Role::GridWorker, "village"),
        (Role::VillageCadre, "village"),
        (Role::VillageCommittee, "village"),
        (Role::TownshipOffice, "township"),
        (Role::CountyOffice, "county"),
        (Role::City, "city"),
        (Role::Department, "county"),
        (Role::Department, "city"),
    ];
    for role in Role::ALL {
        for (level, inside, outside) in LEVELS {
            let expected = looks.contains(&(role, level));
            assert_eq!(may_see(role, &[inside], VILLAGE), expected, "{role:?} {level}");
            assert!(!may_see(role, &[outside], VILLAGE), "{role:?} {level} outside");
        }
    }
}

fn deed<'a>(key: (&'a str, &'a str, &'a str), value: &'a Value, exists: bool) -> Deed<'a> {
    let (container, row, field) = key;
    Deed { container, row, field, value: Some(value), exists }
}

fn judged(role: Role, deeds: &[Deed<'_>]) -> Result<(), Denial> {
    judge(Schema::base(), role, Place::Inside, deeds)
}

#[test]
fn the_state_entered_decides_who_may_enter_it() {
    let states = [
        ("verified", "village", Role::VillageCadre),
        ("appraised", "village", Role::VillageCommittee),
        ("township_check", "township", Role::TownshipOffice),
        ("returned", "township", Role::TownshipOffice),
        ("objection_settled", "village", Role::VillageCommittee),
        ("objection_settled", "township", Role::TownshipOffice),
        ("monitored", "county", Role::CountyOffice),
        ("returned", "county", Role::CountyOffice),
        ("not_included", "county", Role::CountyOffice),
    ];
    for (state, level, role) in states {
        let (value, level) = (Value::from(state), Value::from(level));
        let votes = Value::Int(12);
        let step = [
            deed(("steps", "r2", "state"), &value, false),
            deed(("steps", "r2", "level"), &level, false),
            deed(("steps", "r2", "votes_for"), &votes, false),
        ];
        for other in Role::ALL {
            assert_eq!(
                judged(other, &step).is_ok(),
                other == role
                    || (state == "verified"
                        && matches!(other, Role::GridWorker | Role::TownshipOffice)),
                "{other:?} {state}"
            );
        }
    }
    let unknown = Value::from("approved_by_myself");
    let denial = judged(Role::CountyOffice, &[deed(("steps", "r2", "state"), &unknown, false)]);
    assert_eq!(denial.unwrap_err().needed, None);
}

#[test]
fn a_step_stays_as_it_was_written() {
    let (state, votes) = (Value::from("appraised"), Value::Int(13));
    let whole = [
        deed(("steps", "r1", "state"), &state, false),
        deed(("steps", "r1", "votes_for"), &votes, false),
    ];
    assert!(judged(Role::VillageCommittee, &whole).is_ok());
    let again = [deed(("steps", "r1", "state"), &state, true)];
    let change = [deed(("steps", "r1", "votes_for"), &votes, true)];
    let remove = [Deed { value: None, ..change[0] }];
    let more = [deed(("steps", "r1", "votes_against"), &votes, false)];
    for role in Role::ALL {
        for deeds in [&again, &change, &remove, &more] {
            assert!(judged(role, deeds).is_err(), "{role:?} {deeds:?}");
        }
    }
    assert!(judged(Role::VillageCadre, &whole).is_err());
}

#[test]
fn a_step_that_says_two_things_says_nothing() {
    let (clue, decided) = (Value::from("clue"), Value::from("county_decision"));
    let (village, county) = (Value::from("village"), Value::from("county"));
    let twice = [
        deed(("steps", "r1", "state"), &clue, false),
        deed(("steps", "r1", "state"), &decided, false),
    ];
    let levels = [
        deed(("steps", "r1", "state"), &clue, false),
        deed(("steps", "r1", "level"), &village, false),
        deed(("steps", "r1", "level"), &county, false),
    ];
    for role in Role::ALL {
        assert!(judged(role, &twice).is_err() && judged(role, &levels).is_err(), "{role:?}");
    }
}

#[test]
fn an_office_releases_what_its_own_level_may_do_and_no_more() {
    let (kind, name, level) = (Value::from("sudden"), Value::from("陈永昌"), Value::from("county"));
    let decided = Value::from("county_decision");
    let facts = [deed(("basic", "", "head_name"), &name, false)];
    let decision = [
        deed(("class", "", "monitored_kind"), &kind, false),
        deed(("steps", "r1", "state"), &decided, false),
        deed(("steps", "r1", "level"), &level, false),
        deed(("basic", "", "head_name"), &name, false),
    ];
    let released = |office, deeds| judge_release(Schema::base(), office, deeds).is_ok();
    assert!(released(Role::TownshipOffice, &facts) && released(Role::CountyOffice, &facts));
    assert!(!released(Role::TownshipOffice, &decision), "that is the county's");
    assert!(released(Role::CountyOffice, &decision));
}

#[test]
fn a_change_is_taken_whole_or_not_at_all() {
    let (name, kind) = (Value::from("陈永昌"), Value::from("marginal"));
    let deeds = [
        deed(("basic", "", "head_name"), &name, false),
        deed(("class", "", "monitored_kind"), &kind, false),
    ];
    let denial = judged(Role::VillageCadre, &deeds).unwrap_err();
    assert_eq!(denial.field, "class.monitored_kind");
    assert_eq!(denial.needed, Some(Role::CountyOffice));
    let nowhere = [deed(("nowhere", "", "x"), &name, false)];
    assert!(Role::ALL.iter().all(|role| judged(*role, &nowhere).is_err()));
    let of_a_newer_release = [deed(("local", "", "solar_panels"), &name, false)];
    assert!(judged(Role::VillageCadre, &of_a_newer_release).is_ok());
}

#[test]
fn replicas_are_for_those_who_may_read_all() {
    let holders: Vec<_> = Role::ALL.into_iter().filter(|role| role.holds_replica()).collect();
    let expected = [
        Role::GridWorker,
        Role::VillageCadre,
        Role::VillageCommittee,
        Role::TownshipOffice,
        Role::CountyOffice,
    ];
    assert_eq!(holders, expected);
}

/// The matrix as docs/authority.md shows it.
fn matrix() -> String {
    let mut out = String::from("| class |");
    Role::ALL.iter().for_each(|role| out.push_str(&format!(" {} |", role.code())));
    out.push_str("\n|---|");
    Role::ALL.iter().for_each(|_| out.push_str("---|"));
    for class in FieldClass::ALL {
        let _ = write!(out, "\n| {} |", class.code());
        for role in Role::ALL {
            let at = if role == Role::Household { Place::Own } else { Place::Inside };
            let may = Action::ALL.into_iter().filter(|action| may(role, at, class, *action));
            let words: Vec<_> = may.map(Action::code).collect();
            let _ = write!(out, " {} |", words.join(" "));
        }
    }
    out
}

#[test]
fn the_document_shows_the_matrix() {
    let document = include_str!("../../../../docs/authority.md");
    assert!(document.contains(&matrix()), "docs/authority.md must hold\n{}", matrix());
    assert!(document.contains(&format!("Rule set {RULE_SET}")));
}
