//! The order of a workflow's pods, drawn as a tree.

use crate::output::json::workflows::MemberView;

/// A line of the tree.
#[derive(Debug)]
pub struct Branch<'v> {
    /// What stands before the name: `│  ├─ `.
    pub lead: String,
    /// The pod.
    pub member: &'v MemberView,
    /// Pods that it also comes after, beside the one that it is drawn below.
    pub also: Vec<&'v str>,
    /// What stands before prose below the name: `│  │ `.
    pub below: String,
}

/// Each pod once, below the one that it comes after; where there are several, below one of
/// those that start last. Levels grow from a pod to those after it, so that no order, however
/// wrong, leads in a circle.
pub fn branches(members: &[MemberView]) -> Vec<Branch<'_>> {
    let parents: Vec<Option<usize>> = members.iter().map(|m| parent(members, m)).collect();
    let children = |of: Option<usize>| -> Vec<usize> {
        (0..members.len()).filter(|&i| parents[i] == of).collect()
    };
    let mut drawn = Vec::with_capacity(members.len());
    // Not by recursion: a chain may be as long as its owner likes. Per pod: which, what stands
    // before its name, and what stands before those below it.
    let mut open: Vec<(usize, String, String)> = Vec::new();
    for root in children(None).into_iter().rev() {
        open.push((root, String::new(), String::new()));
    }
    while let Some((index, lead, below)) = open.pop() {
        let member = &members[index];
        let parent = parents[index].map(|parent| members[parent].pod.as_str());
        let also = member.after.iter().map(String::as_str);
        let children = children(Some(index));
        let stem = if children.is_empty() { "  " } else { "│ " };
        drawn.push(Branch {
            lead,
            member,
            also: also.filter(|&name| Some(name) != parent).collect(),
            below: format!("{below}{stem}"),
        });
        for (place, child) in children.into_iter().rev().enumerate() {
            let (own, further) = if place == 0 {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            open.push((child, format!("{below}{own}"), format!("{below}{further}")));
        }
    }
    drawn
}

/// The pod that `member` is drawn below: of those it comes after, the first of the highest level.
fn parent(members: &[MemberView], member: &MemberView) -> Option<usize> {
    let before = |name: &String| {
        members
            .iter()
            .position(|other| other.pod == *name && other.level < member.level)
    };
    let candidates = member.after.iter().filter_map(before);
    candidates.reduce(|best, next| {
        if members[next].level > members[best].level {
            next
        } else {
            best
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member(pod: &str, level: u32, after: &[&str]) -> MemberView {
        MemberView {
            pod: pod.into(),
            level,
            after: after.iter().map(|&name| name.into()).collect(),
            state: None,
            ready: false,
            since: None,
            message: None,
        }
    }

    fn drawn(members: &[MemberView]) -> Vec<String> {
        let line = |branch: &Branch<'_>| {
            let also = if branch.also.is_empty() {
                String::new()
            } else {
                format!(" (also after {})", branch.also.join(", "))
            };
            format!("{}{}{also}", branch.lead, branch.member.pod)
        };
        branches(members).iter().map(line).collect()
    }

    #[test]
    fn a_pod_with_several_before_it_is_drawn_once() {
        let members = [
            member("mariadb", 0, &[]),
            member("adminer", 1, &["mariadb"]),
            member("llama", 1, &["mariadb"]),
            member("qwen", 1, &["mariadb"]),
            member("n8n", 2, &["mariadb", "llama", "qwen"]),
            member("web", 3, &["n8n"]),
            member("clock", 0, &[]),
        ];
        assert_eq!(
            drawn(&members),
            [
                "mariadb",
                "├─ adminer",
                "├─ llama",
                "│  └─ n8n (also after mariadb, qwen)",
                "│     └─ web",
                "└─ qwen",
                "clock",
            ]
        );
    }

    #[test]
    fn a_chain_of_a_thousand_is_drawn() {
        let name = |i: u32| format!("p{i}");
        let members: Vec<MemberView> = (0..1000)
            .map(|i: u32| {
                let before = i.checked_sub(1).map(name);
                let after: Vec<&str> = before.as_deref().into_iter().collect();
                member(&name(i), i, &after)
            })
            .collect();
        assert_eq!(drawn(&members).len(), 1000);
    }

    proptest! {
        /// Also where dagdad sends nonsense: pods after themselves, in circles, after strangers.
        #[test]
        fn every_pod_is_drawn_exactly_once(order in prop::collection::vec((0u32..4, prop::collection::vec(0usize..12, 0..4)), 0..10)) {
            let members: Vec<MemberView> = order
                .iter()
                .enumerate()
                .map(|(i, (level, after))| {
                    let after: Vec<String> = after.iter().map(|i| format!("p{i}")).collect();
                    let after: Vec<&str> = after.iter().map(String::as_str).collect();
                    member(&format!("p{i}"), *level, &after)
                })
                .collect();
            let mut found: Vec<&str> = branches(&members).iter().map(|b| b.member.pod.as_str()).collect();
            found.sort_unstable();
            let mut expected: Vec<&str> = members.iter().map(|m| m.pod.as_str()).collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
