//! The grid (网格): a unit below the village, known within it by its name alone. How a name is spelt, and who may be kept to
//! one. Must not know where records or accounts are kept; a grid has no rights of its own.

use super::authority::Role;
use super::facts::Facts;
use super::schema::{FaultReason, Schema};

/// A name as it is kept and compared: without blanks around it, as the schema takes whatever is typed.
pub fn spelt(name: &str) -> &str {
    name.trim()
}

/// Whether a record can hold such a name. The empty one is no grid's: by it, the households are meant that name none.
///
/// # Errors
/// `TooLong`.
pub fn check(name: &str) -> Result<(), FaultReason> {
    Schema::base().check("basic", "grid", &spelt(name).into())
}

/// The grid of a household; empty where its record names none.
pub fn of(facts: &Facts) -> &str {
    spelt(facts.text("basic", "grid"))
}

/// Whether an account may be kept to these grids: a grid worker of one village, since every village may have a grid of that
/// name. Anybody may be kept to none.
pub fn fit(grids: &[String], role: Role, areas: &[u64]) -> bool {
    let is_one = |name: &String| !spelt(name).is_empty() && check(name).is_ok();
    grids.is_empty() || (role == Role::GridWorker && areas.len() == 1 && grids.iter().all(is_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_grid_worker_of_one_village_is_kept_to_grids() {
        const VILLAGE: u64 = 431_022_208_217;
        let fits = |names: &[&str], role, areas: &[u64]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            fit(&names, role, areas)
        };
        let worker = Role::GridWorker;
        assert!(fits(&["第三网格", " 第四网格\u{3000}"], worker, &[VILLAGE]));
        assert!(fits(&[], Role::City, &[4310]));
        assert!(!fits(&["第三网格"], worker, &[VILLAGE, VILLAGE + 1]), "of which village?");
        assert!(!fits(&["第三网格"], Role::VillageCadre, &[VILLAGE]));
        assert!(!fits(&["第三网格", " "], worker, &[VILLAGE]), "no name");
        assert!(!fits(&[&"长".repeat(21)], worker, &[VILLAGE]), "no record could name it");
    }
}
