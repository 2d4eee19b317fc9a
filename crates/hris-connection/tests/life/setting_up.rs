//! From draft to published: every step saved, every transition checked.

use hris_connection::{Connection, DateFormat, Frequency, Missing, Schedule, Setup, Stage, Step};
use hris_core::{
    Account, Clock as _, Credentials, EmployeeField, ErrorKind, FieldRule, MemberField, SourceField,
    Transform,
};
use hris_testkit::run;
use secrecy::ExposeSecret as _;

use crate::desk::{
    Desk, NOW, account, at, daily, key, mapping, opens, owner, plan, published, reviewed, rules, secrets,
    setup, vendor,
};

#[test]
fn each_step_is_saved_and_leads_to_the_next_stage() {
    run(async {
        let desk = Desk::new();
        let it = &desk.connections;
        it.create(&Connection::draft(key(), &vendor())).await.unwrap();
        let stage = async || it.get(&key()).await.unwrap().stage();
        assert_eq!(stage().await, Stage::Draft);
        it.change(&key(), |connection| connection.set_up(setup(), "olga", at(NOW))).await.unwrap();
        assert_eq!(stage().await, Stage::Draft);
        it.authorise(&key(), &opens(account()), &secrets("t-1"), "olga").await.unwrap();
        assert_eq!(stage().await, Stage::Authorised);
        it.change(&key(), |connection| connection.map(mapping(rules()), "olga", at(NOW))).await.unwrap();
        assert_eq!(stage().await, Stage::Mapped);
        let draft = it.get(&key()).await.unwrap().draft_mapping().unwrap();
        let plan = plan(draft.version(), "digest-1");
        it.change(&key(), |connection| connection.record_review(&plan, "olga", at(NOW))).await.unwrap();
        assert_eq!(stage().await, Stage::Reviewed);
        it.change(&key(), |connection| connection.publish("digest-1", "olga", at(NOW))).await.unwrap();
        let connection = it.get(&key()).await.unwrap();
        assert_eq!(connection.stage(), Stage::Published);
        assert_eq!(connection.title(), "Acme HR (Talleres Brisa S.L.)");
        let steps: Vec<_> =
            connection.steps().iter().map(|taken| (taken.step, taken.actor.as_str())).collect();
        let expected = [Step::SetUp, Step::Authorise, Step::Map, Step::Review, Step::Publish];
        assert_eq!(steps, expected.map(|step| (step, "olga")));
    });
}

#[test]
fn publishing_a_bare_draft_lists_everything_that_is_missing() {
    let mut draft = Connection::draft(key(), &vendor());
    let missing = draft.missing(at(NOW));
    assert_eq!(
        missing,
        [
            Missing::Frequency,
            Missing::DateFormat,
            Missing::Owner,
            Missing::Authorisation,
            Missing::Mapping,
            Missing::EmployeeId,
            Missing::Email,
            Missing::Review,
        ]
    );
    let error = draft.publish("digest-1", "olga", at(NOW)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for missing in &missing {
        assert!(error.to_string().contains(missing.code()), "{error}");
        assert!(error.hint().unwrap().contains(&missing.to_string()), "{error}");
    }
}

#[test]
fn publishing_with_no_email_mapped_is_refused_by_name() {
    let mut connection = reviewed();
    let only_id = vec![FieldRule::copy(MemberField::EmployeeId, EmployeeField::EmployeeId)];
    connection.map(mapping(only_id), "olga", at(NOW)).unwrap();
    assert_eq!(connection.stage(), Stage::Authorised, "an incomplete mapping is saved and leads no further");
    assert_eq!(connection.missing(at(NOW)), [Missing::Email, Missing::Review]);
    let error = connection.publish("digest-1", "olga", at(NOW)).unwrap_err();
    assert!(error.to_string().contains("map the e-mail address"), "{error}");
}

#[test]
fn a_mapping_that_cannot_be_used_says_why() {
    let mut connection = reviewed();
    let mut twice = rules();
    twice.push(FieldRule::copy(MemberField::Email, EmployeeField::PersonalEmail));
    connection.map(mapping(twice), "olga", at(NOW)).unwrap();
    let missing = connection.missing(at(NOW));
    assert!(matches!(&missing[..], [Missing::MappingRules(why), Missing::Review] if why.contains("twice")));
}

#[test]
fn publishing_freezes_the_mapping() {
    let mut connection = published();
    let live = connection.live_mapping().unwrap();
    let mut more = rules();
    more.push(FieldRule::copy(MemberField::FirstName, EmployeeField::FirstName));
    connection.map(mapping(more), "olga", at(NOW)).unwrap();
    assert_eq!(connection.stage(), Stage::Published, "the live mapping goes on while the next one is made");
    assert_eq!(connection.live_mapping().unwrap().version(), live.version());
    let next = connection.draft_mapping().unwrap();
    assert_ne!(next.version(), live.version());

    let not_reviewed = connection.publish("digest-1", "olga", at(NOW)).unwrap_err();
    assert!(not_reviewed.to_string().contains("review the plan"), "{not_reviewed}");
    connection.record_review(&plan(next.version(), "digest-2"), "olga", at(NOW)).unwrap();
    connection.publish("digest-2", "pau", at(NOW)).unwrap();
    assert_eq!(connection.live_mapping().unwrap().version(), next.version());
    let published: Vec<_> =
        connection.published_mappings().iter().map(|known| (known.number, known.actor.as_str())).collect();
    assert_eq!(published, [(1, "olga"), (2, "pau")]);
}

#[test]
fn publishing_confirms_the_plan_that_was_reviewed_and_no_other() {
    let mut connection = reviewed();
    let error = connection.publish("another", "olga", at(NOW)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Stale);
    let late = connection.publish("digest-1", "olga", at("2026-03-09T09:00:00Z")).unwrap_err();
    assert!(late.to_string().contains("review the plan again"), "{late}");
    let review = connection.publish("digest-1", "olga", at(NOW)).unwrap();
    assert_eq!((review.plan.as_str(), review.summary.invitations), ("plan-1", 3));
}

#[test]
fn a_plan_of_another_mapping_is_no_review() {
    let mut connection = reviewed();
    let error =
        connection.record_review(&plan(&hris_core::MappingVersion::new("other"), "d"), "olga", at(NOW));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Stale);
}

#[test]
fn a_change_of_what_the_plan_depends_on_makes_the_review_void() {
    for change in [setup().with_welcome(false), setup().with_date_format(DateFormat::MonthDayYear)] {
        let mut connection = reviewed();
        connection.set_up(change, "olga", at(NOW)).unwrap();
        assert_eq!(connection.stage(), Stage::Mapped);
        assert_eq!(connection.missing(at(NOW)), [Missing::Review]);
    }
    let mut connection = reviewed();
    connection.set_up(setup().with_schedule(daily().with_jitter_minutes(9)), "olga", at(NOW)).unwrap();
    assert_eq!(connection.stage(), Stage::Reviewed, "another time of day changes no plan");
}

#[test]
fn a_schedule_that_never_runs_is_refused_at_set_up() {
    let never = Frequency::Cron { expression: "0 0 31 4 *".to_owned() };
    let never = Schedule::new(never, "UTC".parse().unwrap()).unwrap();
    let mut draft = Connection::draft(key(), &vendor());
    let error = draft.set_up(Setup::new().with_schedule(never), "olga", at(NOW)).unwrap_err();
    assert!(error.to_string().contains("never happens"), "{error}");
    assert_eq!(draft.setup(), &Setup::new(), "nothing of it was saved");
}

#[test]
fn a_date_format_is_refused_where_the_vendor_fixes_it_and_reaches_the_mapping_where_it_is_asked() {
    let facts = hris_core::Descriptor::new("fixed", "Fixed", hris_core::RecordIdKind::new("fixed.id"));
    let fixed = hris_core::descriptor::Integration::new(&facts, "Fixed.");
    let mut draft = Connection::draft(key(), &fixed);
    let error = draft.set_up(setup(), "olga", at(NOW)).unwrap_err();
    assert!(error.to_string().contains("fixes the form"), "{error}");
    assert!(!draft.missing(at(NOW)).contains(&Missing::DateFormat));

    let mut connection = reviewed();
    let mut own = rules();
    own.push(FieldRule::copy(MemberField::StartDate, SourceField::Custom("joined".into())));
    connection.map(mapping(own), "olga", at(NOW)).unwrap();
    let date = [Transform::Date("%d/%m/%Y".into())];
    assert_eq!(connection.draft_document().unwrap().fields[2].from[0].transforms, date);
}

#[test]
fn whether_to_invite_is_what_the_set_up_says() {
    let mut connection = reviewed();
    assert!(connection.policy().invite);
    connection.set_up(setup().with_welcome(false), "olga", at(NOW)).unwrap();
    assert!(!connection.policy().invite);
}

#[test]
fn another_company_is_refused_and_the_old_credential_stays() {
    run(async {
        let desk = Desk::new();
        let it = &desk.connections;
        it.create(&published()).await.unwrap();
        it.authorise(&key(), &opens(account()), &secrets("t-1"), "olga").await.unwrap();
        let other = opens(Account::new("account-2"));
        let error = it.authorise(&key(), &other, &secrets("t-2"), "olga").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongAccount);
        let kept = it.credentials(&key()).await.unwrap();
        let token = |credentials: &Credentials| credentials.get("token").unwrap().expose_secret().to_owned();
        assert_eq!(token(&kept), "t-1");
        it.authorise(&key(), &opens(account()), &secrets("t-3"), "olga").await.unwrap();
        assert_eq!(token(&it.credentials(&key()).await.unwrap()), "t-3", "replaced in place");
        assert_eq!(it.get(&key()).await.unwrap().stage(), Stage::Published);
    });
}

#[test]
fn a_refused_credential_changes_nothing() {
    run(async {
        let desk = Desk::new();
        let it = &desk.connections;
        it.create(&Connection::draft(key(), &vendor())).await.unwrap();
        let refusing = opens(account())
            .with_check(|| Err(hris_core::Error::new(ErrorKind::Unauthorized, "the token was refused")));
        let error = it.authorise(&key(), &refusing, &secrets("t-1"), "olga").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(it.get(&key()).await.unwrap().stage(), Stage::Draft);
        assert_eq!(it.credentials(&key()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    });
}

#[test]
fn revoking_stops_runs_purges_secrets_and_says_what_is_left_to_do() {
    run(async {
        let desk = Desk::new();
        let it = &desk.connections;
        it.create(&published()).await.unwrap();
        it.authorise(&key(), &opens(account()), &secrets("t-1"), "olga").await.unwrap();
        for _ in 0..2 {
            let revoked = it.revoke(&key(), &vendor(), "olga").await.unwrap();
            assert_eq!(revoked.steps, ["Open Settings, API, and delete the key named Rewards."]);
        }
        let connection = it.get(&key()).await.unwrap();
        assert_eq!((connection.stage(), connection.next_look()), (Stage::Revoked, None));
        assert!(it.credentials(&key()).await.is_err());
        let again = it.authorise(&key(), &opens(account()), &secrets("t-2"), "olga").await.unwrap_err();
        assert!(again.to_string().contains("set up a new connection"), "{again}");
    });
}

#[test]
fn of_two_who_change_a_connection_at_once_both_are_heard() {
    run(async {
        let desk = Desk::new();
        let it = &desk.connections;
        it.create(&reviewed()).await.unwrap();
        assert_eq!(it.create(&reviewed()).await.unwrap_err().kind(), ErrorKind::Conflict);
        // The second changes the connection while the first one thinks.
        let tried = std::sync::atomic::AtomicUsize::new(0);
        let same = key();
        let change = |connection: &mut Connection| {
            if tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                let other =
                    it.change(&same, |other| other.set_up(setup().with_welcome(false), "pau", at(NOW)));
                futures_util::FutureExt::now_or_never(other).unwrap().unwrap();
            }
            connection.map(mapping(rules()), "olga", at(NOW))
        };
        it.change(&key(), change).await.unwrap();
        let connection = it.get(&key()).await.unwrap();
        assert!(!connection.setup().welcome && tried.load(std::sync::atomic::Ordering::Relaxed) == 2);
        assert_eq!(connection.steps().last().unwrap().actor, "olga");
        assert_eq!(desk.clock.now(), at(NOW));
    });
}

#[test]
fn the_owner_is_named_before_publishing_so_that_reports_reach_somebody() {
    let mut connection = reviewed();
    let mut nobody = setup();
    nobody.owner = None;
    connection.set_up(nobody, "olga", at(NOW)).unwrap();
    assert_eq!(connection.missing(at(NOW)), [Missing::Owner]);
    connection.set_up(setup().with_owner(owner()), "olga", at(NOW)).unwrap();
    connection.publish("digest-1", "olga", at(NOW)).unwrap();
}
