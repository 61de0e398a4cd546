import Postgres
import TestKit
import Testing

@testable import Lobbying

@Suite("background work of lobbying", .timeLimit(.minutes(5)))
struct JobPlansTests {
    @Test("every job and every schedule finds its rows by an index")
    func plans() async throws {
        let plans = JobPlans(
            fill: """
                set session_replication_role = replica;
                set statement_timeout = '120s';
                create function pg_temp.key(kind text, number bigint) returns uuid language sql immutable
                    return md5(kind || number)::uuid;
                insert into official (id, name, kind)
                select pg_temp.key('official', i), 'Ada ' || i, 'deputy' from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into seat (institution, departement, constituency)
                select 'Assemblée nationale', '64', i::text from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into official_mandate (id, official, institution, role, from_day)
                select pg_temp.key('mandate', i), pg_temp.key('official', i), 'Assemblée nationale', 'députée', '2024-07-07'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into person_copy (id, name, version)
                select pg_temp.key('person', i), 'Ada', 1 from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into circle_meeting (id, day, place, theme)
                select pg_temp.key('meeting', i), '2000-01-01'::date + i::integer, 'Paris', 'Numérique'
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into invitation (id, meeting, person)
                select pg_temp.key('invitation', i), pg_temp.key('meeting', i), pg_temp.key('person', i)
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into attendance (meeting, person)
                select pg_temp.key('meeting', i), pg_temp.key('person', i) from generate_series(0, \(JobPlans.rows) - 1) as i;
                insert into applied_merge (id, kind, survivor, merged)
                select pg_temp.key('merge', i), 'person', pg_temp.key('person', i), pg_temp.key('gone', i)
                from generate_series(0, \(JobPlans.rows) - 1) as i;
                """,
            small: [:], through: [:],
            payloads: [
                "erasure": "'{\"erasure\": \"6f1c2f0e-0000-4000-8000-000000000001\"}'::jsonb",
                "webhook.send": "jsonb_build_object('webhook', md5('webhook1')::uuid)",
            ])
        try await plans.check(LobbyingApplication.self)
    }
}
