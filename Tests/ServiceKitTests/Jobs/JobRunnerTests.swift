import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite struct JobRunnerTests {
    private static let kind = JobKind<Int>("run", maximumAttempts: 3, lease: .seconds(30))

    private func runner(
        _ kit: ServiceDatabase, poll: Duration = .milliseconds(20), grace: Duration = .seconds(15),
        _ jobs: JobRegistration...
    ) throws -> JobRunner {
        var settings = JobRunner.Settings()
        settings.poll = poll
        settings.grace = grace
        settings.wholeReading = .milliseconds(50)
        settings.pauseAfterFailure = .milliseconds(20)
        settings.backOff = BackOff(first: .milliseconds(1), longest: .milliseconds(5))
        return try JobRunner(
            database: kit.client, schema: ServiceDatabase.schema, jobs: jobs, settings: settings, logger: kit.logger)
    }

    private func isEmpty(_ kit: ServiceDatabase) async throws -> Bool {
        try await kit.count("select count(*) from job where state <> 'dead'") == 0
    }

    @Test("two replicas run every job once")
    func twoReplicas() async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let make = { try runner(kit, JobRegistration(Self.kind, concurrency: 4) { number, _ in seen.add(number) }) }
            let (first, second) = (try make(), try make())
            try await running({ try await first.run() }) {
                try await running({ try await second.run() }) {
                    for start in stride(from: 0, to: 300, by: 30) {
                        try await kit.client.transaction { transaction in
                            try await kit.queue.enqueue(
                                Self.kind, all: Array(start..<(start + 30)), in: transaction)
                        }
                    }
                    try await eventually("the queue runs empty") { try await isEmpty(kit) }
                }
            }
            #expect(seen.values.sorted() == Array(0..<300))
        }
    }

    @Test("a notification wakes the runner, and it works without one", arguments: [true, false])
    func wakes(isNotified: Bool) async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let ready = Door()
            let runner = try runner(
                kit, poll: isNotified ? .seconds(3600) : .milliseconds(20),
                JobRegistration(Self.kind) { number, _ in
                    seen.add(number)
                    await ready.open()
                })
            try await running({ try await runner.run() }) {
                // The first notification finds it reading, the second waiting.
                try await kit.queue.enqueue(Self.kind, 1, in: kit.client)
                await ready.pass()
                try await eventually("done") { try await isEmpty(kit) }
                if isNotified {
                    try await kit.queue.enqueue(Self.kind, 2, in: kit.client)
                } else {
                    try await kit.client.execute(
                        "insert into job (kind, payload, maximum_attempts) values ('run', '2', 3)")
                }
                try await eventually("woken") { seen.count == 2 }
            }
        }
    }

    @Test("a failed job is retried, and is dead after its last attempt")
    func retries() async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let runner = try runner(
                kit,
                JobRegistration(Self.kind) { number, job in
                    seen.add(job.attempt)
                    if number == 2 || job.attempt < 3 { throw TestFailure() }
                    #expect(job.isLastAttempt)
                })
            try await running({ try await runner.run() }) {
                try await kit.queue.enqueue(Self.kind, 1, in: kit.client)
                try await eventually("done") { try await isEmpty(kit) }
                #expect(seen.values == [1, 2, 3])
                #expect(try await kit.dead().isEmpty)
                try await kit.queue.enqueue(Self.kind, 2, in: kit.client)
                try await eventually("dead") { try await !kit.dead().isEmpty }
                #expect(seen.values == [1, 2, 3, 1, 2, 3])
                let dead = try #require(try await kit.dead().first)
                #expect(dead.kind == "run" && dead.attempts == 3)
                // The type of the error, but nothing of its content.
                #expect(dead.reason == "TestFailure")
            }
        }
    }

    @Test("a refused job is dead at once, and can be revived")
    func refused() async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let runner = try runner(
                kit,
                JobRegistration(Self.kind) { _, job in
                    seen.add(job.attempt)
                    if seen.count == 1 { throw JobDiscard("nobody lives there") }
                })
            try await running({ try await runner.run() }) {
                try await kit.queue.enqueue(Self.kind, 1, in: kit.client)
                try await eventually("dead") { try await !kit.dead().isEmpty }
                let dead = try #require(try await kit.dead().first)
                #expect(dead.reason == "nobody lives there")
                try await kit.revive(dead.id)
                await #expect(throws: Problem.self) { try await kit.revive(dead.id) }
                try await eventually("done") { try await kit.count("select count(*) from job") == 0 }
                #expect(seen.values == [1, 1])
            }
        }
    }

    @Test("a handler may set the time of the next attempt")
    func postponed() async throws {
        try await withServiceDatabase { kit in
            let runner = try runner(
                kit, JobRegistration(Self.kind) { _, _ in throw JobSnooze(for: .seconds(3600), "greylisted") })
            try await running({ try await runner.run() }) {
                try await kit.queue.enqueue(Self.kind, 1, in: kit.client)
                try await eventually("put back") {
                    try await kit.count(
                        """
                        select count(*) from job where state = 'queued' and last_error = 'greylisted'
                            and due_at > now() + interval '50 minutes'
                        """) == 1
                }
            }
        }
    }

    @Test("a job whose payload cannot be decoded is dead at once")
    func unreadable() async throws {
        try await withServiceDatabase { kit in
            let runner = try runner(kit, JobRegistration(Self.kind) { _, _ in })
            try await running({ try await runner.run() }) {
                try await kit.client.execute(
                    "insert into job (kind, payload, maximum_attempts) values ('run', '\"text\"', 3)")
                try await eventually("dead") {
                    try await kit.dead().first?.reason == "the payload cannot be read"
                }
            }
        }
    }

    @Test("when stopping, it claims no more jobs and lets the running ones finish")
    func stops() async throws {
        try await withServiceDatabase { kit in
            let (started, finish) = (Door(), Door())
            let runner = try runner(
                kit,
                JobRegistration(Self.kind) { _, _ in
                    await started.open()
                    await finish.pass()
                })
            let task = Task { try await runner.run() }
            try await kit.queue.enqueue(Self.kind, all: [1, 2], in: kit.client)
            await started.pass()
            runner.stop()
            await finish.open()
            try await task.value
            let stats = try #require(try await kit.queue.stats().first)
            #expect((stats.queued, stats.running) == (1, 0))
            #expect(try await kit.count("select count(*) from job where attempt = 0") == 1)
        }
    }

    @Test("a job that outlasts the shutdown timeout is interrupted and released, and the attempt does not count")
    func interrupted() async throws {
        try await withServiceDatabase { kit in
            let started = Door()
            let runner = try runner(
                kit, grace: .milliseconds(10),
                JobRegistration(Self.kind) { _, _ in
                    await started.open()
                    try await Task.sleep(for: .seconds(3600))
                })
            let task = Task { try await runner.run() }
            try await kit.queue.enqueue(Self.kind, 1, in: kit.client)
            await started.pass()
            runner.stop()
            try await task.value
            #expect(try await kit.count("select count(*) from job where state = 'queued' and attempt = 0") == 1)
        }
    }

    @Test("a handler whose lease is lost is cancelled, and its outcome changes nothing")
    func lost() async throws {
        try await withServiceDatabase { kit in
            let (started, cancelled) = (Door(), Seen<Bool>())
            let kind = JobKind<Int>("short", lease: .milliseconds(300))
            let runner = try runner(
                kit,
                JobRegistration(kind) { _, _ in
                    await started.open()
                    try? await Task.sleep(for: .seconds(3600))
                    cancelled.add(Task.isCancelled)
                })
            try await running({ try await runner.run() }) {
                try await kit.queue.enqueue(kind, 1, in: kit.client)
                await started.pass()
                // Another worker holds it now, for a long time.
                try await kit.client.execute(
                    "update job set lease_token = gen_random_uuid(), due_at = now() + interval '1 hour'")
                try await eventually("cancelled") { cancelled.values == [true] }
            }
            #expect(try await kit.count("select count(*) from job where state = 'running' and attempt = 1") == 1)
        }
    }

    @Test("a handler that exceeds its kind's time limit is cancelled, and retried")
    func timeLimit() async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let kind = JobKind<Int>("slow", timeLimit: .milliseconds(50))
            let runner = try runner(
                kit,
                JobRegistration(kind) { _, job in
                    seen.add(job.attempt)
                    if job.attempt == 1 { try await Task.sleep(for: .seconds(3600)) }
                })
            try await running({ try await runner.run() }) {
                try await kit.queue.enqueue(kind, 1, in: kit.client)
                try await eventually("done") { try await kit.count("select count(*) from job") == 0 }
            }
            #expect(seen.values == [1, 2])
        }
    }

    @Test("the runner survives the loss of its connections")
    func connectionsCut() async throws {
        try await withServiceDatabase { kit in
            let seen = Seen<Int>()
            let runner = try runner(kit, JobRegistration(Self.kind, concurrency: 2) { number, _ in seen.add(number) })
            try await running({ try await runner.run() }) {
                for round in 0..<3 {
                    try await kit.owner { owner in
                        try await owner.execute(
                            "insert into job (kind, payload, maximum_attempts) values ('run', \(JSONText("\(round)")), 20)"
                        )
                    }
                    try await kit.database.cluster.terminateAllConnections(kit.database.name)
                }
                try await eventually("all done") { Set(seen.values).count == 3 }
                try await eventually("no row left") {
                    (try? await kit.count("select count(*) from job")) == 0
                }
            }
        }
    }

    @Test("two handlers for one kind are refused")
    func duplicate() async throws {
        try await withServiceDatabase { kit in
            #expect(throws: JobRunner.DuplicateKind.self) {
                try runner(kit, JobRegistration(Self.kind) { _, _ in }, JobRegistration(Self.kind) { _, _ in })
            }
        }
    }
}
