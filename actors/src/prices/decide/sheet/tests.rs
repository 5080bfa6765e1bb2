//! What a line comes to, one test each, and all lines of a sheet against the same lines one by one.

use schema::{
    AccountTier, Currency, Direction, OperatorId, PriceKey, PricingModel, SheetId, Status,
    event::PriceTerms,
    versioned::{Price, Sheeted as _},
};

use super::*;

/// The time at which every sheet here is applied.
const NOW: i64 = 100;

fn at(time: i64) -> Timestamp {
    Timestamp::from_micros(time).expect("a time")
}

fn key() -> PriceKey<TenantId> {
    PriceKey {
        tenant: None,
        account_tier: AccountTier::Growth,
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        currency: Currency::parse("EUR").expect("exists"),
    }
}

/// Terms that tell one version from another.
fn terms(price: i64) -> PriceTerms {
    PriceTerms {
        pricing_model: PricingModel::PerSegment,
        unit_price: price.to_string().parse().expect("a price"),
        billable_statuses: [Status::Delivered].into(),
    }
}

fn line(number: u32, price: i64, from: i64, to: Option<i64>) -> Line<Price> {
    Line {
        number,
        key: key(),
        terms: terms(price),
        from: Some(at(from)),
        to: to.map(at),
    }
}

fn root(name: &str) -> Root {
    let id = SheetId::parse(name).expect("an id");
    Root {
        stream: StreamId::sheet(Price::SHEET, &id),
        content: "content".to_owned(),
        origin: Origin::of_request(1).at(at(NOW)),
    }
}

fn on(timeline: &Timeline<Price>, lines: &[Line<Price>]) -> Keyed<Price> {
    Keyed {
        key: Price::of_tenant(key(), None),
        timeline: timeline.clone(),
        lines: lines.to_vec(),
    }
}

/// A timeline with these versions: price, beginning, end.
fn given(versions: &[(i64, i64, Option<i64>)]) -> Timeline<Price> {
    let mut timeline = Timeline::default();
    for (number, &(price, from, to)) in (1..).zip(versions) {
        let opening = Opening {
            id: Uuid::from_u128(number).into(),
            key: Price::of_tenant(key(), None),
            terms: terms(price),
            period: Period {
                effective_from: at(from),
                effective_to: to.map(at),
            },
            request: Uuid::from_u128(number),
        };
        timeline.take(Change::Opened(opening), Uuid::nil(), Position::BEGINNING);
    }
    timeline
}

/// What one line comes to: the end that some version gets, and the period that is opened.
type Done = Result<(Option<i64>, Option<(i64, Option<i64>)>), (End, Reason)>;

fn done(steps: Steps<Price>) -> Vec<Done> {
    let told = |step: Step<Price>| {
        let closed = step.closed.map(|closing| closing.effective_to.micros());
        let opened = step.opened.map(|opening| {
            let Period {
                effective_from,
                effective_to,
            } = opening.period;
            (effective_from.micros(), effective_to.map(Timestamp::micros))
        });
        (closed, opened)
    };
    let steps = steps.into_iter();
    steps
        .map(|step| {
            step.map(told)
                .map_err(|refused| (refused.end, refused.reason))
        })
        .collect()
}

fn only(timeline: &Timeline<Price>, price: i64, from: i64, to: Option<i64>) -> Done {
    let steps = on(timeline, &[line(2, price, from, to)]).steps(&root("one"));
    done(steps).remove(0)
}

#[test]
fn where_nothing_is_in_effect_a_line_is_opened() {
    let timeline = given(&[(1, 0, Some(50)), (2, 300, None)]);
    assert_eq!(
        only(&timeline, 7, 50, Some(300)),
        Ok((None, Some((50, Some(300)))))
    );
    assert_eq!(
        only(&timeline, 7, 150, Some(200)),
        Ok((None, Some((150, Some(200)))))
    );
}

#[test]
fn what_is_in_effect_already_stays() {
    for end in [None, Some(200)] {
        let timeline = given(&[(7, 0, end)]);
        for from in [0, 50, 150] {
            assert_eq!(only(&timeline, 7, from, end), Ok((None, None)));
        }
    }
}

#[test]
fn other_terms_end_where_the_line_begins() {
    let timeline = given(&[(1, 0, None)]);
    assert_eq!(
        only(&timeline, 7, 150, None),
        Ok((Some(150), Some((150, None))))
    );
    assert_eq!(
        only(&timeline, 7, NOW, Some(200)),
        Ok((Some(NOW), Some((NOW, Some(200)))))
    );
    // One that has not begun is withdrawn.
    let timeline = given(&[(1, 150, None)]);
    assert_eq!(
        only(&timeline, 7, 150, None),
        Ok((Some(150), Some((150, None))))
    );
}

#[test]
fn the_same_terms_get_the_lines_end() {
    let timeline = given(&[(7, 0, None)]);
    assert_eq!(only(&timeline, 7, 0, Some(200)), Ok((Some(200), None)));
    let timeline = given(&[(7, 0, Some(200))]);
    assert_eq!(only(&timeline, 7, 0, None), Ok((None, Some((200, None)))));
    assert_eq!(
        only(&timeline, 7, 0, Some(300)),
        Ok((None, Some((200, Some(300)))))
    );
}

#[test]
fn a_line_without_a_beginning_begins_now() {
    let timeline = given(&[(1, 0, None)]);
    let mut now = line(2, 7, 0, None);
    now.from = None;
    let steps = on(&timeline, &[now]).steps(&root("one"));
    assert_eq!(done(steps), [Ok((Some(NOW), Some((NOW, None))))]);
}

#[test]
fn what_was_in_effect_at_a_time_gone_by_is_not_changed() {
    let timeline = given(&[(1, 0, None)]);
    let past = |end| Err((end, Reason::Rule(Refusal::InThePast)));
    assert_eq!(only(&timeline, 7, 50, None), past(End::From));
    assert_eq!(only(&timeline, 1, 0, Some(50)), past(End::To));
}

#[test]
fn a_line_does_not_reach_into_a_later_version_nor_end_before_it_begins() {
    let timeline = given(&[(1, 0, Some(150)), (2, 200, None)]);
    let with = Uuid::from_u128(2);
    let overlap = Err((End::To, Reason::Rule(Refusal::Overlap { with })));
    assert_eq!(only(&timeline, 7, 150, None), overlap);
    assert_eq!(only(&timeline, 7, 120, Some(201)), overlap);
    assert_eq!(only(&timeline, 1, 0, None), overlap);
    let reversed = Err((End::To, Reason::Rule(Refusal::Reversed)));
    assert_eq!(only(&timeline, 7, 150, Some(150)), reversed);
    assert_eq!(only(&timeline, 7, 150, Some(140)), reversed);
}

#[test]
fn two_lines_that_overlap_are_refused_at_the_one_further_down() {
    let timeline = given(&[]);
    for lines in [
        [line(2, 7, 150, None), line(3, 8, 200, None)],
        [line(2, 7, 200, None), line(3, 8, 150, None)],
        [line(2, 7, 150, Some(151)), line(3, 7, 150, Some(151))],
    ] {
        let steps = on(&timeline, &lines).steps(&root("two"));
        let refused: Vec<_> = steps
            .iter()
            .filter_map(|step| step.as_ref().err())
            .collect();
        let expected = LineRefusal {
            line: 3,
            end: End::From,
            reason: Reason::Line(2),
        };
        assert_eq!(refused, [&expected]);
    }
    // A short one in a long one does not hide the long one from the next.
    let lines = [
        line(2, 7, 150, Some(300)),
        line(3, 8, 160, Some(170)),
        line(4, 9, 200, Some(250)),
        line(5, 9, 300, None),
    ];
    let steps = on(&timeline, &lines).steps(&root("four"));
    let refused = steps.iter().filter_map(|step| step.as_ref().err());
    let refused: Vec<_> = refused
        .map(|refused| (refused.line, refused.reason))
        .collect();
    assert_eq!(refused, [(3, Reason::Line(2)), (4, Reason::Line(2))]);
}

#[test]
fn a_tariff_that_changes_twice_is_three_lines_in_any_order() {
    let timeline = given(&[(1, 0, None)]);
    let lines = [
        line(2, 9, 300, None),
        line(3, 1, 0, Some(150)),
        line(4, 8, 150, Some(300)),
    ];
    let steps = on(&timeline, &lines).steps(&root("three"));
    let opened = |from, to| Ok((None, Some((from, to))));
    assert_eq!(
        done(steps),
        [
            Ok((Some(150), None)),
            opened(150, Some(300)),
            opened(300, None)
        ]
    );
}

#[test]
fn ids_follow_from_sheet_content_and_line() {
    let ids = |root: &Root, number| {
        let mut keyed = on(&given(&[(1, 0, None)]), &[line(number, 7, 150, None)]);
        let step = keyed.steps(root).remove(0).expect("good");
        let events = step.events(&keyed.key, root);
        assert!(
            events
                .iter()
                .all(|event| event.cause == Some(root.event().0))
        );
        events.into_iter().map(|event| event.id).collect::<Vec<_>>()
    };
    let first = ids(&root("a"), 2);
    assert_eq!(first.len(), 2);
    assert_eq!(
        first,
        ids(&root("a"), 2),
        "a dry run and the real one agree"
    );
    let other = Root {
        content: "other".to_owned(),
        ..root("a")
    };
    for others in [ids(&root("b"), 2), ids(&root("a"), 3), ids(&other, 2)] {
        assert!(first.iter().all(|id| !others.contains(id)));
    }
}

/// The next number of a simple generator, below `below`.
fn next(seed: &mut u64, below: u64) -> i64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    i64::try_from((*seed >> 33) % below).expect("small")
}

/// Stretches one after the other, with and without gaps: price, beginning, end.
fn any_stretches(seed: &mut u64, from: u64) -> Vec<(i64, i64, Option<i64>)> {
    let mut stretches = Vec::new();
    let mut begin = next(seed, from);
    while next(seed, 4) > 0 {
        let end = begin + 1 + next(seed, 60);
        stretches.push((next(seed, 3), begin, Some(end)));
        begin = end + next(seed, 2) * next(seed, 30);
    }
    if next(seed, 2) > 0 {
        stretches.push((next(seed, 3), begin, None));
    }
    stretches
}

/// What is in effect at each time.
fn shape(timeline: &Timeline<Price>) -> Vec<Option<PriceTerms>> {
    let in_effect = |time| timeline.at(at(time)).map(|version| version.terms.clone());
    (0..500).map(in_effect).collect()
}

#[test]
fn a_sheet_comes_to_what_its_lines_come_to_one_by_one() {
    let (mut accepted, mut changed) = (0, 0);
    for run in 0..1_000 {
        let mut seed = run;
        let before = given(&any_stretches(&mut seed, 80));
        let mut lines: Vec<_> = (2..)
            .zip(any_stretches(&mut seed, 200))
            .map(|(number, (price, from, to))| line(number, price, from, to))
            .collect();
        let by_time = lines.clone();
        // In a file they stand in any order.
        for place in (1..lines.len()).rev() {
            let other = next(&mut seed, u64::try_from(place).expect("small") + 1);
            lines.swap(place, usize::try_from(other).expect("small"));
        }
        let mut sheet = on(&before, &lines);
        let steps = sheet.steps(&root("whole"));
        let mut one_by_one = before.clone();
        let mut refused = false;
        for line in &by_time {
            let mut alone = on(&one_by_one, std::slice::from_ref(line));
            let steps = alone.steps(&root(&format!("line-{}", line.number)));
            refused |= steps.iter().any(Result::is_err);
            one_by_one = alone.timeline;
        }
        assert_eq!(steps.iter().any(Result::is_err), refused, "run {run}");
        if refused {
            continue;
        }
        let (is, was) = (shape(&sheet.timeline), shape(&before));
        assert_eq!(is, shape(&one_by_one), "run {run}");
        for (time, (is, was)) in (0..).zip(is.iter().zip(&was)) {
            let says = by_time
                .iter()
                .find(|line| line.from <= Some(at(time)) && line.to.is_none_or(|to| at(time) < to));
            // In a line's period it is what the line says; outside, what it was, or nothing where
            // that gave way to a line.
            match says {
                Some(line) => assert_eq!(is.as_ref(), Some(&line.terms), "run {run} time {time}"),
                None => assert!(is.is_none() || is == was, "run {run} time {time}"),
            }
            assert!(
                time >= NOW || was.is_none() || is == was,
                "run {run} time {time}"
            );
        }
        accepted += 1;
        changed += i64::from(is != was);
    }
    assert!(
        accepted > 150 && changed > 60,
        "{accepted} accepted, {changed} changed something"
    );
}
