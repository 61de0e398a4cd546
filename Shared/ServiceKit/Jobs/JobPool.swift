import Logging
import Metrics
import Postgres
import Synchronization

/// Claims the jobs of one kind and runs them, a few at a time.
final class JobPool: Sendable {
    let registration: JobRegistration
    /// Raised when there may be something to do: a notification, a free slot, the shutdown.
    let signal = Signal()
    private let store: JobStore
    private let settings: JobRunner.Settings
    private let stopping: Latch
    private let logger: Logger
    private let running = Atomic<Int>(0)

    init(
        _ registration: JobRegistration, store: JobStore, settings: JobRunner.Settings, stopping: Latch, logger: Logger
    ) {
        self.registration = registration
        self.store = store
        self.settings = settings
        self.stopping = stopping
        var logger = logger
        logger[metadataKey: "job"] = "\(registration.kind)"
        self.logger = logger
    }

    /// Runs until told to stop; then until the claimed jobs have ended.
    func run() async {
        await withDiscardingTaskGroup { group in
            var reader = QueueReader(settings: settings)
            while !stopping.isOpen && !Task.isCancelled {
                let free = registration.concurrency - running.load(ordering: .acquiring)
                guard free > 0 else {
                    await signal.wait()
                    continue
                }
                let pause: Duration
                do {
                    let claim = try await reader.claim(registration, limit: free, from: store)
                    for id in claim.died { report(.dead, id: id, reason: "the last lease expired") }
                    for job in claim.jobs {
                        running.add(1, ordering: .acquiringAndReleasing)
                        group.addTask { await self.perform(job) }
                    }
                    if claim.jobs.count + claim.died.count == free { continue }
                    let next = try await store.secondsToNext(kind: registration.kind)
                    pause = min(settings.poll, next.map { .seconds($0) + .milliseconds(1) } ?? settings.poll)
                } catch {
                    logger.warning("the job queue cannot be read", metadata: ["reason": "\(error.loggable)"])
                    pause = settings.pauseAfterFailure * Double.random(in: 0.5...1.5)
                }
                await signal.wait(upTo: pause)
            }
        }
    }

    // MARK: - One job

    private func perform(_ job: ClaimedJob) async {
        defer {
            running.subtract(1, ordering: .acquiringAndReleasing)
            signal.raise()
        }
        var logger = logger
        logger[metadataKey: "job_id"] = "\(job.id)"
        logger[metadataKey: "attempt"] = "\(job.attempt)"
        let context = JobContext(
            isLastAttempt: job.attempt >= registration.maximumAttempts, logger: logger, job: job,
            lease: registration.lease, store: store)
        let start = ContinuousClock.now
        let result = await attempt(job, context)
        Timer(label: "job_duration_seconds", dimensions: [("kind", registration.kind)])
            .recordNanoseconds(Int64((ContinuousClock.now - start).seconds * 1e9))
        // The task may be cancelled by now; the outcome of the job must be recorded all the same.
        await Task { await self.settle(job, context, result) }.value
    }

    private enum End: Sendable {
        case handler(Result<Void, any Error>)
        case leaseLost
        case timeOver
        case watchEnded
    }

    /// Runs the handler while renewing the lease. If the lease is lost or the time limit is reached, the handler is
    /// cancelled and awaited.
    private func attempt(_ job: ClaimedJob, _ context: JobContext) async -> Result<Void, any Error> {
        let registration = registration
        return await withTaskGroup(of: End.self) { group in
            group.addTask {
                do {
                    return .handler(.success(try await registration.handle(job.payload, context)))
                } catch {
                    return .handler(.failure(error))
                }
            }
            group.addTask { await self.watch(job, context) }
            var isOver = false
            while let end = await group.next() {
                switch end {
                case .handler(let result):
                    group.cancelAll()
                    if isOver, case .failure = result { return .failure(TimeLimitPassed()) }
                    return result
                case .leaseLost:
                    group.cancelAll()
                    await group.waitForAll()
                    return .failure(LeaseLost())
                case .timeOver:
                    isOver = true
                    group.cancelAll()
                case .watchEnded:
                    continue
                }
            }
            return .failure(CancellationError())
        }
    }

    private func watch(_ job: ClaimedJob, _ context: JobContext) async -> End {
        let end = ContinuousClock.now + registration.timeLimit
        let pulse = registration.lease / 3
        while true {
            let left = end - ContinuousClock.now
            guard left > .zero else { return .timeOver }
            do {
                try await Task.sleep(for: min(pulse, left))
            } catch {
                return .watchEnded
            }
            // A job finished in the handler's transaction has no lease any more: the handler reports how it went.
            guard !context.ending.wasAsked.load(ordering: .relaxed) else { return .watchEnded }
            do {
                let isHeld = try await store.renew(job, lease: registration.lease, on: store.database)
                if !isHeld && !context.ending.wasAsked.load(ordering: .relaxed) { return .leaseLost }
            } catch {
                // The database is unavailable: the lease may still be valid when it is back.
                continue
            }
        }
    }

    private func settle(_ job: ClaimedJob, _ context: JobContext, _ result: Result<Void, any Error>) async {
        let outcome: Outcome
        var reason: String?
        do {
            switch result {
            case .success:
                let finished = try await retryingWhileUnavailable {
                    try await self.store.finish(job, on: self.store.database)
                }
                outcome = finished || context.ending.wasAsked.load(ordering: .relaxed) ? .done : .lost
            case .failure(is CancellationError) where stopping.isOpen:
                outcome =
                    try await retryingWhileUnavailable { try await self.store.release(job) } ? .interrupted : .lost
            case .failure(let error):
                var failure = JobFailure(error)
                if context.isLastAttempt, case .retry(_, let why) = failure { failure = .dead(reason: why) }
                switch failure {
                case .lost:
                    outcome = .lost
                case .dead(let why):
                    reason = why
                    outcome =
                        try await retryingWhileUnavailable { try await self.store.discard(job, reason: why) }
                        ? .dead : .lost
                case .retry(let delay, let why):
                    reason = why
                    let delay = delay ?? settings.backOff.delay(after: job.attempt)
                    let isPutBack = try await retryingWhileUnavailable {
                        try await self.store.retry(job, after: delay, reason: why)
                    }
                    outcome = isPutBack ? .retried : .lost
                }
            }
        } catch {
            // Nothing was recorded: the lease expires, and a worker claims the job again.
            outcome = .lost
            reason = error.loggable
        }
        report(outcome, id: job.id, reason: reason)
    }

    /// Retries while the database is unavailable, for as long as the lease can last.
    private func retryingWhileUnavailable(_ body: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + registration.lease
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.isUnavailable && ContinuousClock.now < end {
                try await Task.sleep(for: settings.pauseAfterFailure * Double.random(in: 0.5...1.5))
            }
        }
    }

    private enum Outcome: String {
        case done, retried, interrupted, dead, lost
    }

    private func report(_ outcome: Outcome, id: Int64, reason: String?) {
        Counter(label: "jobs_total", dimensions: [("kind", registration.kind), ("outcome", outcome.rawValue)])
            .increment()
        var metadata: Logger.Metadata = ["job_id": "\(id)"]
        if let reason { metadata["reason"] = "\(reason)" }
        switch outcome {
        case .done: logger.debug("a job is done", metadata: metadata)
        case .interrupted: logger.info("a job was interrupted and released", metadata: metadata)
        case .retried: logger.info("a job failed and will be tried again", metadata: metadata)
        case .lost: logger.warning("a job was lost to another worker", metadata: metadata)
        case .dead: logger.error("a job is dead", metadata: metadata)
        }
    }
}

/// An attempt took longer than its kind allows.
struct TimeLimitPassed: Error {}

/// Where in the queue to claim from.
///
/// Under load each claim continues where the previous one ended, and once a second one starts from the beginning: for
/// jobs that were released or retried, and for those that were committed late.
private struct QueueReader {
    let settings: JobRunner.Settings
    private var place: JobStore.Place?
    private var lastWhole = ContinuousClock.now

    init(settings: JobRunner.Settings) {
        self.settings = settings
    }

    mutating func claim(_ registration: JobRegistration, limit: Int, from store: JobStore) async throws
        -> JobStore.Claim
    {
        if let place, ContinuousClock.now - lastWhole < settings.wholeReading {
            let claim = try await store.claim(
                kind: registration.kind, lease: registration.lease, limit: limit, from: place)
            if let last = claim.last {
                self.place = last
                return claim
            }
        }
        lastWhole = ContinuousClock.now
        let claim = try await store.claim(kind: registration.kind, lease: registration.lease, limit: limit)
        place = claim.last
        return claim
    }
}
