//! Whoever asks about a case, by account, role and area: which steps they may take, which tasks are theirs. Must not
//! know whether a phone asks or a desk, or where the case is kept.

use super::authority::{self, Action, Role};
use super::day::Day;
use super::facts::Facts;
use super::grid;
use super::policy::Policy;
use super::workflow::{Case, Stage, Task, TaskKind, successors, tasks};

/// Whoever asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The account; empty before enrolment.
    pub account: &'a str,
    /// Its role; none before enrolment.
    pub role: Option<Role>,
    /// Its areas.
    pub areas: &'a [u64],
    /// The grids of its village that it works in; none: all of it.
    pub grids: &'a [String],
    /// The lines and periods that hold.
    pub policy: &'a Policy,
    /// The day it is, by the server's clock.
    pub today: Day,
}

impl Asking<'_> {
    /// What may be entered next by whoever asks, in a case of this village. What a step needs is asked when it is
    /// taken.
    pub fn may_enter(&self, village: u64, case: &Case) -> Vec<Stage> {
        let Some(role) = self.role else { return Vec::new() };
        let place = authority::place(role, self.areas, village);
        let may = |stage: &Stage| {
            let class = stage.class(role.level_code());
            authority::may(role, place, class, Action::Add)
        };
        let on_notice = case.stage() == Some(Stage::OnNotice);
        let objection = on_notice.then_some(Stage::Objection);
        let settle = (!case.objections.is_empty()).then_some(Stage::ObjectionSettled);
        let next = successors(case.place()).iter().copied().chain(objection).chain(settle);
        next.filter(may).collect()
    }

    /// The tasks of a household that whoever asks has to do, the most urgent first. A household with a responsible
    /// cadre of its own is left to that cadre, as long as nothing is late; one without, as far as a grid worker is concerned, to
    /// whoever works in its grid. What is overdue is everybody's: that cadre may be ill, or gone, and no phone knows.
    pub fn tasks(&self, facts: &Facts, case: &Case) -> Vec<Task> {
        let is_left = self.is_left_to_another(facts);
        let mut tasks = tasks(facts, case, self.policy, self.today);
        tasks.retain(|task| self.does(task.kind) && (!is_left || task.is_overdue(self.today)));
        tasks
    }

    /// Whether tasks of this kind are for whoever asks.
    pub fn does(&self, kind: TaskKind) -> bool {
        let theirs = kind.role();
        match self.role {
            None | Some(Role::GridWorker) => theirs == Role::VillageCadre,
            Some(role) => role == theirs,
        }
    }

    fn is_left_to_another(&self, facts: &Facts) -> bool {
        if !self.role.is_some_and(Role::is_cadre) {
            return false;
        }
        let cadres = facts.responsible_cadres(self.today);
        let accounts: Vec<_> = cadres
            .map(|cadre| cadre.text("account"))
            .filter(|account| !account.is_empty())
            .collect();
        match accounts.is_empty() {
            true => !self.works_in(grid::of(facts)),
            false => !accounts.contains(&self.account),
        }
    }

    fn works_in(&self, grid: &str) -> bool {
        self.grids.is_empty() || self.grids.iter().any(|own| grid::spelt(own) == grid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VILLAGE: u64 = 431_022_208_217;

    fn tasks_of(account: &str, role: Role, facts: &Facts, today: &str) -> usize {
        tasks_in(&[], account, role, facts, today)
    }

    fn tasks_in(grids: &[&str], account: &str, role: Role, facts: &Facts, today: &str) -> usize {
        let (policy, areas) = (Policy::none(), [VILLAGE]);
        let grids: Vec<String> = grids.iter().map(|name| (*name).to_owned()).collect();
        let (role, today, areas) = (Some(role), today.parse().unwrap(), &areas[..]);
        let asking = Asking { account, role, areas, grids: &grids, policy: &policy, today };
        asking.tasks(facts, &Case::of(facts)).len()
    }

    #[test]
    fn a_household_is_left_to_its_own_cadre_for_as_long_as_there_is_one() {
        let warned =
            Facts::of(VILLAGE).with_row("warnings", "w", &[("due_on", "2024-03-10".into())]);
        let cadre = Role::VillageCadre;
        assert_eq!(tasks_of("wang", cadre, &warned, "2024-03-01"), 1, "nobody's, so everybody's");
        let term = [("account", "li".into()), ("to", "2024-03-05".into())];
        let served = warned.with_row("cadres", "c", &term);
        assert_eq!(tasks_of("li", cadre, &served, "2024-03-05"), 1);
        assert_eq!(tasks_of("wang", cadre, &served, "2024-03-05"), 0);
        assert_eq!(tasks_of("wang", Role::GridWorker, &served, "2024-03-05"), 0);
        assert_eq!(tasks_of("wang", cadre, &served, "2024-03-06"), 1, "the term is over");
        assert_eq!(tasks_of("town", Role::TownshipOffice, &served, "2024-03-06"), 0);
    }

    #[test]
    fn what_is_overdue_is_left_to_nobody() {
        let warned =
            Facts::of(VILLAGE).with_row("warnings", "w", &[("due_on", "2024-03-10".into())]);
        let lis = warned.with_row("cadres", "c", &[("account", "li".into())]);
        let grid = lis.clone().with("basic", "grid", "第三网格");
        for (role, facts) in [(Role::VillageCadre, &lis), (Role::GridWorker, &grid)] {
            assert_eq!(tasks_in(&["第四网格"], "wang", role, facts, "2024-03-10"), 0, "{role:?}");
            assert_eq!(tasks_in(&["第四网格"], "wang", role, facts, "2024-03-11"), 1, "{role:?}");
        }
    }

    #[test]
    fn a_grid_worker_has_the_households_of_their_grids_and_those_that_name_them() {
        let (day, worker) = ("2024-03-01", Role::GridWorker);
        let warned =
            Facts::of(VILLAGE).with_row("warnings", "w", &[("due_on", "2024-03-10".into())]);
        let third = warned.clone().with("basic", "grid", " 第三网格");
        let of_grids = |grids: &[&str], facts: &Facts| tasks_in(grids, "zhao", worker, facts, day);
        assert_eq!(of_grids(&["第二网格", "第三网格 "], &third), 1, "spelt with blanks or without");
        assert_eq!(of_grids(&["第四网格"], &third), 0);
        assert_eq!(of_grids(&["第四网格"], &warned), 0, "of no grid: the village's cadres have it");
        assert_eq!(of_grids(&[], &third), 1, "kept to no grid");
        assert_eq!(tasks_of("wang", Role::VillageCadre, &third, day), 1, "a cadre has the village");
        let zhaos = third.clone().with_row("cadres", "c", &[("account", "zhao".into())]);
        assert_eq!(of_grids(&["第四网格"], &zhaos), 1, "whoever is named has it, wherever it is");
        let lis = third.with_row("cadres", "c", &[("account", "li".into())]);
        assert_eq!(of_grids(&["第三网格"], &lis), 0);
    }
}
