//! What finance is told of margins: each wrong sum is noticed, by whatever it is asked for.

use super::{
    super::{
        Fault::{Doubled, Lost, Wrong},
        Invariant,
        margins::Group,
    },
    billing::notices,
    world::World,
};
use crate::{money::Millionths, traffic::agreement::Usage};

fn margins(world: &mut World) -> &mut Vec<(Group, Usage)> {
    &mut world.billing.as_mut().expect("shown").margins
}

#[test]
fn a_wrong_margin_is_noticed() {
    let invariant = Invariant::MarginsMatchLog;
    notices(invariant, Lost, |world| drop(margins(world).pop()));
    notices(invariant, Doubled, |world| {
        let again = margins(world)[0].clone();
        margins(world).push(again);
    });
    let breaks: [fn(&mut (Group, Usage)); 6] = [
        |(_, sum)| sum.margin += Millionths(1),
        |(_, sum)| sum.cost += Millionths(1),
        |(_, sum)| sum.messages += 1,
        |(_, sum)| sum.cost_missing += 1,
        |(_, sum)| sum.margin_unknown += 1,
        |((_, group, _), _)| group.push('x'),
    ];
    for break_it in breaks {
        notices(invariant, Wrong, |world| break_it(&mut margins(world)[0]));
    }
}

#[test]
fn charges_are_added_up_by_all_that_finance_may_ask_for() {
    let mut world = World::charged(1_500);
    let report = world.audit();
    let due: Usage = sum(report.usage.values().copied());
    let days = margins(&mut world).iter();
    let days = days.map(|((question, _, _), _)| (question.1, question.2));
    let (from, end) = days.min().expect("all days begin first");
    for by in ["operator", "account", "tenant", "tier", "currency"] {
        let groups = margins(&mut world).iter();
        let of = groups.filter(|((question, _, _), _)| *question == (by, from, end));
        assert_eq!(sum(of.map(|(_, sum)| *sum)), due, "by {by}");
        let groups = margins(&mut world).iter();
        let of_a_day = groups.filter(|((question, _, _), _)| question.0 == by && question.1 > from);
        let of_a_day = sum(of_a_day.map(|(_, sum)| *sum));
        assert!((1..=due.messages).contains(&of_a_day.messages), "by {by}");
    }
}

fn sum(sums: impl Iterator<Item = Usage>) -> Usage {
    sums.fold(Usage::default(), |mut all, sum| {
        all.absorb(sum);
        all
    })
}
