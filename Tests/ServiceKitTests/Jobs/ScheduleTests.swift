import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite struct ScheduleTests {
    @Test(
        "the next time by the clock of Paris",
        arguments: [
            // Paris is one hour ahead in winter, two in summer.
            ("06:00", "2027-01-10T04:59:59Z", "2027-01-10T05:00:00Z"),
            ("06:00", "2027-01-10T05:00:00Z", "2027-01-11T05:00:00Z"),
            ("06:00", "2027-01-10T05:00:00.5Z", "2027-01-11T05:00:00Z"),
            ("06:00", "2027-07-10T00:00:00Z", "2027-07-10T04:00:00Z"),
            ("23:59", "2027-12-31T22:58:59.5Z", "2027-12-31T22:59:00Z"),
            ("00:00", "2027-12-31T22:59:00Z", "2027-12-31T23:00:00Z"),
            ("00:00", "2028-02-28T23:00:00Z", "2028-02-29T23:00:00Z"),
            ("00:30", "2027-07-09T22:10:00Z", "2027-07-09T22:30:00Z"),
            // 28 March 2027: 2:00 becomes 3:00. A run at 2:30 takes place at 3:30.
            ("02:30", "2027-03-27T12:00:00Z", "2027-03-28T01:30:00Z"),
            ("02:30", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"),
            ("03:00", "2027-03-28T00:59:59Z", "2027-03-28T01:00:00Z"),
            ("00:00", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"),
            // 31 October 2027: 3:00 becomes 2:00. It runs once, the first time.
            ("02:30", "2027-10-30T12:00:00Z", "2027-10-31T00:30:00Z"),
            ("02:30", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"),
            ("02:30", "2027-10-31T01:29:00Z", "2027-11-01T01:30:00Z"),
            ("00:00", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z"),
        ])
    func daily(time: String, after: String, expected: String) throws {
        let schedule = Schedule.daily(at: try TimeOfDay(validating: time))
        #expect(try schedule.next(after: Timestamp(validating: after)).text == expected)
    }

    @Test("every day has exactly one time, in years with and without clock changes")
    func everyDay() throws {
        for time in ["00:00", "02:00", "02:30", "03:00", "23:59"] {
            let schedule = Schedule.daily(at: try TimeOfDay(validating: time))
            var moment = try Timestamp(validating: "2026-12-31T22:59:30Z")
            for day in 0..<1500 {
                let next = schedule.next(after: moment)
                let shown = Int(next.microseconds / 1_000_000)
                let wall = Day(daysSince1970: (shown + ParisTime.offset(at: shown)) / 86_400)
                #expect(wall == Day(daysSince1970: 20_819).adding(days: day), "\(time) after \(moment)")
                moment = next
            }
        }
    }

    @Test(
        "an invalid time of day is refused",
        arguments: [
            "", "3:10", "03:1", "0310", "03:10:00", "24:00", "03:60", "-3:10", "+3:10", "03.10", "03:1a", " 03:10",
            "03:10 ",
            "٠٣:١٠", "10 3 * * *",
        ])
    func refused(text: String) {
        #expect(throws: InvalidText.self) { try TimeOfDay(validating: text) }
    }

    @Test("an interval is counted from the given time")
    func every() throws {
        let time = try Timestamp(validating: "2027-01-10T05:00:00Z")
        #expect(Schedule.every(.seconds(90)).next(after: time).text == "2027-01-10T05:01:30Z")
    }
}

@Suite struct SchedulerTests {
    private func scheduler(_ kit: ServiceDatabase, _ schedules: ScheduleRegistration...) -> Scheduler {
        Scheduler(database: kit.client, schedules: schedules, settings: JobRunner.Settings(), logger: kit.logger)
    }

    @Test("of twenty concurrent replicas, one takes a schedule that is due", arguments: [true, false])
    func once(isGuarded: Bool) async throws {
        try await withServiceDatabase { kit in
            let tick = ScheduleRegistration("tick", .every(.seconds(3600))) { _ in }
            let scheduler = scheduler(kit, tick)
            try await scheduler.register()
            try await kit.client.execute("update schedule set next_run = now()")
            let next = Timestamp.now.advanced(by: .seconds(3600))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        if isGuarded { return try await scheduler.take(tick, next: next) }
                        // The negative control: every replica that saw that it was due.
                        return try await kit.client.execute(
                            "update schedule set next_run = \(next), last_run = now() where name = 'tick'") == 1
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == (isGuarded ? 1 : 20))
            #expect(try await kit.count("select count(*) from job") == (isGuarded ? 1 : 0))
        }
    }

    @Test("a schedule starts now, keeps its time over restarts, and starts again when it is changed")
    func registered() async throws {
        try await withServiceDatabase { kit in
            func nextRun() async throws -> String {
                try #require(try await kit.client.first("select next_run::text as next from schedule")?["next"])
            }
            let hourly = scheduler(kit, ScheduleRegistration("tick", .every(.seconds(3600))) { _ in })
            try await hourly.register()
            let first = try await nextRun()
            #expect(
                try await kit.count("select count(*) from schedule where next_run > now() + interval '59 minutes'") == 1
            )
            try await hourly.register()
            #expect(try await nextRun() == first)
            try await scheduler(kit, ScheduleRegistration("tick", .every(.seconds(7200))) { _ in }).register()
            #expect(try await nextRun() != first)
        }
    }

    @Test("a due schedule runs as one job, even if its last run still continues when it is due again")
    func runs() async throws {
        try await withServiceDatabase { kit in
            let (started, finish, seen) = (Door(), Door(), Seen<Int64>())
            let tick = ScheduleRegistration("tick", .every(.milliseconds(5))) { job in
                seen.add(job.id)
                await started.open()
                await finish.pass()
            }
            let make = {
                try JobRunner(
                    database: kit.client, schema: ServiceDatabase.schema, jobs: [], schedules: [tick],
                    logger: kit.logger)
            }
            let (first, second) = (try make(), try make())
            try await running({ try await first.run() }) {
                try await running({ try await second.run() }) {
                    await started.pass()
                    func moved() async throws -> String {
                        try await kit.client.first("select next_run::text as next from schedule")?["next"] ?? ""
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

    @Test("a dead run is shown until the next one is due")
    func dead() async throws {
        try await withServiceDatabase { kit in
            let tick = ScheduleRegistration("tick", .every(.seconds(3600))) { _ in }
            let scheduler = scheduler(kit, tick)
            try await scheduler.register()
            try await kit.client.execute(
                """
                insert into job (kind, payload, state, maximum_attempts, died_at)
                values ('schedule.tick', '{}', 'dead', 3, now()), ('other', '{}', 'dead', 3, now())
                """)
            let next = Timestamp.now.advanced(by: .seconds(3600))
            #expect(try await scheduler.take(tick, next: next) == false)
            #expect(try await kit.dead().map(\.kind) == ["schedule.tick", "other"])
            try await kit.client.execute("update schedule set next_run = now()")
            #expect(try await scheduler.take(tick, next: next))
            #expect(try await kit.dead().map(\.kind) == ["other"])
        }
    }
}
