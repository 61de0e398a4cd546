import Postgres
import TestKit
import Testing

@testable import Events

@Suite("background work of events", .timeLimit(.minutes(5)))
struct JobPlansTests {
    @Test("every job and every schedule finds its rows by an index")
    func plans() async throws {
        let plans = JobPlans(
            fill: """
                set session_replication_role = replica;
                set statement_timeout = '120s';
                create function pg_temp.key(kind text, number bigint) returns uuid language sql immutable
                    return md5(kind || number)::uuid;
                insert into event (id, title, kind, state, starts_at, ends_at, venue)
                select pg_temp.key('event', i), 'Rencontre', 'other', 'held', start, start + interval '2 hours', 'Pau'
                from generate_series(0, \(JobPlans.rows) - 1) as i
                cross join lateral (select now() - i * interval '4 hours' as start) as of;
                insert into session (id, event, title, kind, starts_at, ends_at, capacity)
                select pg_temp.key('session', i), id, 'Plénière', 'plenary', starts_at, ends_at, 10
                from generate_series(0, \(JobPlans.rows) - 1) as i join event on id = pg_temp.key('event', i);
                insert into person_copy (id, name, email, organization, version)
                select pg_temp.key('person', i), 'Ada', i || '@example.org', pg_temp.key('organization', i % 1000), 1
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                -- Of the past, all but a few are forgotten: it is looked through every night.
                insert into registration (id, event, session, person, state, choices, forgotten)
                select pg_temp.key('registration', i), pg_temp.key('event', i / 2), pg_temp.key('session', i / 2),
                    pg_temp.key('person', i % \(JobPlans.rows)), 'attended', array[pg_temp.key('session', i / 2)],
                    i / 2 > 6570 and i % 100 > 0
                from generate_series(0, \(JobPlans.rows) * 2 - 1) as i;
                insert into applied_merge (id, kind, survivor, merged)
                select pg_temp.key('merge', i), 'person', pg_temp.key('person', i), pg_temp.key('gone', i)
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                """,
            small: ["event": "some hundreds a year", "session": "a handful for each event"], through: [:],
            payloads: [
                "erasure": "'{\"erasure\": \"6f1c2f0e-0000-4000-8000-000000000001\"}'::jsonb",
                "webhook.send": "jsonb_build_object('webhook', md5('webhook1')::uuid)",
            ])
        try await plans.check(EventsApplication.self)
    }
}
