//! All steps on record as a tree: which way counts where people went different ways without seeing each other, what was left aside, and
//! what was overtaken. Must not know a task.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Passed, Phase, Place, Stage, phase_after, successors};
use crate::domain::authority::FieldClass;
use crate::domain::facts::Row;

/// All steps as a tree of places; the first is where every case begins.
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    steps: &'a [Row],
}

pub(super) struct Node<'a> {
    pub(super) place: Place,
    pub(super) steps: Vec<&'a Row>,
    parent: usize,
    children: Vec<usize>,
    /// Places on the longest way from here, this one included.
    depth: usize,
    /// The highest level at which a step from here on was taken.
    top: u8,
}

impl<'a> Tree<'a> {
    pub(super) fn of(steps: &'a [Row]) -> Self {
        let mut followers: BTreeMap<&str, Vec<(&Row, Stage)>> = BTreeMap::new();
        for step in steps {
            if let Some(stage) = Stage::from_code(step.text("state")).filter(|s| s.moves()) {
                followers.entry(step.text("after")).or_default().push((step, stage));
            }
        }
        let root = Node::new((Phase::Entry, None), Vec::new(), 0);
        let mut tree = Self { nodes: vec![root], steps };
        let mut at = 0;
        while at < tree.nodes.len() {
            tree.grow(at, &followers);
            at += 1;
        }
        for at in (0..tree.nodes.len()).rev() {
            let (mut depth, mut top) = (0, 0);
            for child in &tree.nodes[at].children {
                depth = depth.max(tree.nodes[*child].depth);
                top = top.max(tree.nodes[*child].top);
            }
            let node = &mut tree.nodes[at];
            (node.depth, node.top) = (1 + depth, node.top.max(top));
        }
        tree
    }

    /// Adds the places that steps lead to from here.
    fn grow(&mut self, at: usize, followers: &BTreeMap<&str, Vec<(&'a Row, Stage)>>) {
        let place = self.nodes[at].place;
        let ids: Vec<&str> = match at {
            0 => vec![""],
            _ => self.nodes[at].steps.iter().map(|step| step.id.as_str()).collect(),
        };
        let mut next: BTreeMap<Stage, Vec<&Row>> = BTreeMap::new();
        for (step, stage) in ids.iter().filter_map(|id| followers.get(id)).flatten() {
            if successors(place).contains(stage) {
                next.entry(*stage).or_default().push(step);
            }
        }
        for (stage, mut steps) in next {
            steps.sort_by(|one, other| one.id.cmp(&other.id));
            let place = (phase_after(place.0, stage), Some(stage));
            let child = self.nodes.len();
            self.nodes.push(Node::new(place, steps, at));
            self.nodes[at].children.push(child);
        }
    }

    /// The node a step leads to; none for a step that leads nowhere from where it follows.
    pub(super) fn node_of(&self, step: &str) -> Option<&Node<'a>> {
        if step.is_empty() {
            return self.nodes.first();
        }
        self.nodes.iter().find(|node| node.steps.iter().any(|row| row.id == step))
    }

    pub(super) fn case(&self) -> Case {
        let mut case = Case::default();
        let mut at = 0;
        let mut way = vec![at];
        while let Some(next) = self.best(at) {
            let node = &self.nodes[next];
            let (phase, Some(stage)) = node.place else { break };
            let steps = node.steps.iter().map(|step| step.id.clone()).collect();
            let on = node.steps.iter().filter_map(|step| step.day("on")).min();
            case.path.push(Passed { stage, phase, steps, on });
            at = next;
            way.push(at);
        }
        let counted: BTreeSet<&str> =
            case.path.iter().flat_map(|p| p.steps.iter().map(String::as_str)).collect();
        let is_aside = |step: &&Row| {
            Stage::from_code(step.text("state")).is_none_or(Stage::moves)
                && !counted.contains(step.id.as_str())
        };
        case.set_aside = self.steps.iter().filter(is_aside).map(|step| step.id.clone()).collect();
        case.objections = self.open_objections(case.last_step());
        // The way has where every case begins before the path.
        let begun = case.begun().map_or(0, |at| at + 1);
        case.overtaken = self.overtaken(&way[begun..]);
        case
    }

    /// The last step of every way that leaves this `round` of the case before the township turned it down. A township that has
    /// seen it goes on from there, or turns it down there as well: then that way counts.
    fn overtaken(&self, round: &[usize]) -> Vec<String> {
        let is_turned_down = |at: &&usize| {
            let node = &self.nodes[**at];
            node.top == OFFICE
                && matches!(node.place.1, Some(Stage::NotIncluded | Stage::Duplicate))
        };
        let Some((_, before)) = round.split_last().filter(|(last, _)| is_turned_down(last)) else {
            return Vec::new();
        };
        let left = before.iter().flat_map(|at| &self.nodes[*at].children);
        left.filter(|child| !round.contains(child))
            .filter_map(|child| self.found_by_the_village(*child))
            .collect()
    }

    /// The last step of a way on which no office has had its say, and on which somebody did more than to say that a visit is due.
    fn found_by_the_village(&self, from: usize) -> Option<String> {
        let is_the_villages = |at: &usize| self.nodes[*at].top < OFFICE;
        let way = std::iter::successors(Some(from).filter(is_the_villages), |at| self.best(*at));
        let way: Vec<&Node<'_>> = way.map(|at| &self.nodes[at]).collect();
        let is_found = way.iter().any(|node| node.place.1 != Some(Stage::ToVerify));
        let last = way.last().filter(|_| is_found)?;
        last.steps.first().map(|step| step.id.clone())
    }

    fn best(&self, at: usize) -> Option<usize> {
        let weight = |child: &usize| {
            let node = &self.nodes[*child];
            let on = node.steps.iter().filter_map(|step| step.day("on")).min();
            let id = node.steps.first().map(|step| step.id.as_str());
            let cautious = node.place.1.is_some_and(Stage::is_negative);
            (node.top, node.depth, cautious, std::cmp::Reverse(on), std::cmp::Reverse(id))
        };
        self.nodes[at].children.iter().copied().max_by(|one, other| weight(one).cmp(&weight(other)))
    }

    /// Objections that nobody has settled, to the notices passed on the way to a step since the case was last
    /// begun or proposed to be closed.
    pub(super) fn open_objections(&self, step: &str) -> Vec<String> {
        let said =
            |stage: Stage| self.steps.iter().filter(move |step| step.text("state") == stage.code());
        let settled: BTreeSet<&str> =
            said(Stage::ObjectionSettled).map(|step| step.text("after")).collect();
        let notices = self.notices_before(step);
        said(Stage::Objection)
            .filter(|objection| notices.contains(objection.text("after")))
            .filter(|objection| !settled.contains(objection.id.as_str()))
            .map(|objection| objection.id.clone())
            .collect()
    }

    fn notices_before(&self, step: &str) -> BTreeSet<&str> {
        let mut notices = BTreeSet::new();
        let leads_here = |node: &Node<'_>| node.steps.iter().any(|row| row.id == step);
        let mut at = self.nodes.iter().position(leads_here).unwrap_or(0);
        while at != 0 && !matches!(self.nodes[at].place.1, Some(Stage::Clue | Stage::ToClose)) {
            if self.nodes[at].place.1 == Some(Stage::OnNotice) {
                notices.extend(self.nodes[at].steps.iter().map(|row| row.id.as_str()));
            }
            at = self.nodes[at].parent;
        }
        notices
    }
}

impl<'a> Node<'a> {
    fn new(place: Place, steps: Vec<&'a Row>, parent: usize) -> Self {
        let top = steps.iter().map(|step| rank(place.1, step)).max().unwrap_or(0);
        Self { place, steps, parent, children: Vec::new(), depth: 1, top }
    }
}

/// The lowest rank of an office.
const OFFICE: u8 = 2;

/// How high the level is at which a step was taken.
fn rank(stage: Option<Stage>, step: &Row) -> u8 {
    match stage.map(|stage| stage.class(step.text("level"))) {
        Some(FieldClass::Decision) => 3,
        Some(FieldClass::Review) => OFFICE,
        Some(FieldClass::Appraisal) => 1,
        Some(
            FieldClass::Facts
            | FieldClass::Declaration
            | FieldClass::Verification
            | FieldClass::Help
            | FieldClass::Assignment
            | FieldClass::Proposal
            | FieldClass::Warning
            | FieldClass::Withdrawal,
        )
        | None => 0,
    }
}
