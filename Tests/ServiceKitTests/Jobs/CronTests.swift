import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite struct CronScheduleTests {
    @Test(
        "the next time by the clock of Paris",
        arguments: [
            // In winter Paris is one hour ahead, in summer two.
            ("0 6 * * *", "2027-01-10T04:59:59Z", "2027-01-10T05:00:00Z"),
            ("0 6 * * *", "2027-01-10T05:00:00Z", "2027-01-11T05:00:00Z"),
            ("0 6 * * *", "2027-07-10T00:00:00Z", "2027-07-10T04:00:00Z"),
            ("*/15 * * * *", "2027-01-10T05:00:00.5Z", "2027-01-10T05:15:00Z"),
            ("30 23 31 12 *", "2027-01-10T05:00:00Z", "2027-12-31T22:30:00Z"),
            ("0 0 29 2 *", "2027-01-10T05:00:00Z", "2028-02-28T23:00:00Z"),
            ("0 9 * * 1-5", "2027-01-08T09:00:00Z", "2027-01-11T08:00:00Z"),
            ("0 9 * * 7", "2027-01-08T09:00:00Z", "2027-01-10T08:00:00Z"),
            ("0 9 * * 0", "2027-01-08T09:00:00Z", "2027-01-10T08:00:00Z"),
            // Both days restricted: either will do.
            ("0 9 13 * 5", "2027-01-08T09:00:00Z", "2027-01-13T08:00:00Z"),
            ("5,10,50-52 8 * * *", "2027-01-08T07:10:00Z", "2027-01-08T07:50:00Z"),
            ("5/20 8 * * *", "2027-01-08T07:25:00Z", "2027-01-08T07:45:00Z"),
            // 28 March 2027: at 2:00 it is 3:00. What is to be done at 2:30 is done at 3:30.
            ("30 2 * * *", "2027-03-27T12:00:00Z", "2027-03-28T01:30:00Z"),
            ("30 2 * * *", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"),
            ("30 * * * *", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
            // 31 October 2027: at 3:00 it is 2:00 again. Once, unless it is done every hour.
            ("30 2 * * *", "2027-10-30T12:00:00Z", "2027-10-31T00:30:00Z"),
            ("30 2 * * *", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"),
            ("30 * * * *", "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"),
        ])
    func next(expression: String, after: String, expected: String) throws {
        let schedule = try CronSchedule(expression)
        #expect(try schedule.next(after: Timestamp(validating: after)).text == expected)
    }

    @Test(
        "what is no expression is refused",
        arguments: [
            "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *", "a * * * *", "1,,2 * * * *", "1- * * * *", "-1 * * * *", "1/2/3 * * * *", "+1 * * * *",
            "0 0 30 2 *",
        ])
    func refused(expression: String) {
        #expect(throws: InvalidText.self) { try CronSchedule(expression) }
    }

    @Test("an interval is counted from the time given")
    func every() throws {
        let time = try Timestamp(validating: "2027-01-10T05:00:00Z")
        #expect(CronSchedule.every(.seconds(90)).next(after: time).text == "2027-01-10T05:01:30Z")
    }
}

@Suite struct CronTests {
    private func scheduler(_ kit: ServiceDatabase, _ crons: CronRegistration...) -> CronScheduler {
        CronScheduler(database: kit.client, crons: crons, settings: JobRunner.Settings(), logger: kit.logger)
    }

    @Test("of twenty replicas that come at once, one takes a schedule that is due", arguments: [true, false])
    func once(isGuarded: Bool) async throws {
        try await withServiceDatabase { kit in
            let cron = CronRegistration("tick", .every(.seconds(3600))) { _ in }
            let scheduler = scheduler(kit, cron)
            try await scheduler.register()
            try await kit.client.execute("update cron set next_run = now()")
            let next = Timestamp.now.advanced(by: .seconds(3600))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        if isGuarded { return try await scheduler.take(cron, next: next) }
                        // The negative control: everybody who saw that it was due.
                        return try await kit.client.execute(
                            "update cron set next_run = \(next), last_run = now() where name = 'tick'") == 1
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == (isGuarded ? 1 : 20))
            #expect(try await kit.count("select count(*) from job") == (isGuarded ? 1 : 0))
        }
    }

    @Test("a schedule starts from now, keeps its time over restarts, and starts anew when it is changed")
    func registered() async throws {
        try await withServiceDatabase { kit in
            func nextRun() async throws -> String {
                try #require(try await kit.client.first("select next_run::text as next from cron")?["next"])
            }
            let hourly = scheduler(kit, CronRegistration("tick", .every(.seconds(3600))) { _ in })
            try await hourly.register()
            let first = try await nextRun()
            #expect(
                try await kit.count("select count(*) from cron where next_run > now() + interval '59 minutes'") == 1)
            try await hourly.register()
            #expect(try await nextRun() == first)
            try await scheduler(kit, CronRegistration("tick", .every(.seconds(7200))) { _ in }).register()
            #expect(try await nextRun() != first)
        }
    }

    @Test("what is due runs as a job, once, though its last run still goes on when it is due again")
    func runs() async throws {
        try await withServiceDatabase { kit in
            let (started, finish, seen) = (Door(), Door(), Seen<Int64>())
            let cron = CronRegistration("tick", .every(.milliseconds(5))) { job in
                seen.add(job.id)
                await started.open()
                await finish.pass()
            }
            let make = {
                try JobRunner(
                    database: kit.client, schema: ServiceDatabase.schema, jobs: [], crons: [cron], logger: kit.logger)
            }
            let (first, second) = (try make(), try make())
            try await running({ try await first.run() }) {
                try await running({ try await second.run() }) {
                    await started.pass()
                    func moved() async throws -> String {
                        try await kit.client.first("select next_run::text as next from cron")?["next"] ?? ""
                    }
                    let before = try await moved()
                    try await eventually("due again") { try await moved() != before }
                    #expect(seen.count == 1)
                    await finish.open()
                    try await eventually("and again") { seen.count > 2 }
                }
            }
        }
    }

    @Test("a run that is dead is seen until the next one is due")
    func dead() async throws {
        try await withServiceDatabase { kit in
            let cron = CronRegistration("tick", .every(.seconds(3600))) { _ in }
            let scheduler = scheduler(kit, cron)
            try await scheduler.register()
            try await kit.client.execute(
                """
                insert into job (kind, payload, state, maximum_attempts, died_at)
                values ('cron.tick', '{}', 'dead', 3, now()), ('other', '{}', 'dead', 3, now())
                """)
            let next = Timestamp.now.advanced(by: .seconds(3600))
            #expect(try await scheduler.take(cron, next: next) == false)
            #expect(try await kit.dead().map(\.kind) == ["cron.tick", "other"])
            try await kit.client.execute("update cron set next_run = now()")
            #expect(try await scheduler.take(cron, next: next))
            #expect(try await kit.dead().map(\.kind) == ["other"])
        }
    }

    @Test("stored answers go after a day")
    func purge() async throws {
        try await withServiceDatabase { kit in
            try await kit.client.execute(
                """
                insert into idempotency (subject, operation, key, request_hash, status, headers, body, created_at)
                select 's', 'o', n::text, '', 200, '{}', '', now() - n * interval '1 hour' from generate_series(0, 48) n
                """)
            var settings = JobRunner.Settings()
            settings.poll = .milliseconds(20)
            let runner = try JobRunner(
                database: kit.client, schema: ServiceDatabase.schema, jobs: [],
                crons: [.idempotencyPurge(kit.client)], settings: settings, logger: kit.logger)
            try await running({ try await runner.run() }) {
                try await eventually("registered") { try await kit.count("select count(*) from cron") == 1 }
                try await kit.client.execute("update cron set next_run = now()")
                try await eventually("purged") { try await kit.count("select count(*) from idempotency") <= 25 }
                #expect(try await kit.count("select count(*) from idempotency") >= 24)
            }
        }
    }
}
