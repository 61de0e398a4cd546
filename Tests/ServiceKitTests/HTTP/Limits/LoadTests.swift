import ClubProtocol
import HTTPTypes
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("Overload")
struct LoadTests {
    @Test("waits for a place, and enters one after another")
    func waiting() async throws {
        let admission = Admission(places: 10, seats: 500, patience: .seconds(60))
        let crowd = Crowd()
        let admitted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    guard await admission.enter() else { return false }
                    crowd.come()
                    await Task.yield()
                    crowd.go()
                    admission.leave()
                    return true
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(admitted == 500)
        #expect(crowd.most <= 10)
        #expect(admission.running == 0)
    }

    @Test("is refused at once when the waiting room is full, and after a timeout when no place becomes free")
    func refusing() async throws {
        let admission = Admission(places: 1, seats: 1, patience: .milliseconds(50))
        #expect(await admission.enter())
        #expect(!admission.isFull)
        async let late = admission.enter()
        while !admission.isFull { await Task.yield() }
        #expect(await admission.enter() == false)
        #expect(await late == false)
        #expect(!admission.isFull)
        admission.leave()
        #expect(await admission.enter())
    }

    @Test("is 503 with Retry-After, and the places become free")
    func overload() async throws {
        try await withTickets(limits: {
            $0.inFlight = 2
            $0.queued = 1
            $0.queueWait = .seconds(60)
        }) { tickets in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await tickets.send(.post, "/v1/gate").status } }
                while !tickets.responder.pipeline.admission.isFull { try await Task.sleep(for: .milliseconds(5)) }
                let refused = try await tickets.send(.get, "/v1/ping", by: nil)
                #expect(refused.status == 503)
                #expect(refused.headers["retry-after"] == "1")
                #expect(try refused.problem().slug == "overloaded")
                tickets.desk.open()
                for try await status in group { #expect(status == 200) }
            }
            #expect(try await tickets.send(.get, "/v1/ping", by: nil).status == 200)
        }
    }

    @Test("five hundred concurrent registrations are all accepted")
    func burst() async throws {
        try await withTickets { tickets in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        try await tickets.send(
                            .post, "/v1/tickets", #"{"title": "t\#(number)"}"#, ["Idempotency-Key": "k\(number)"]
                        ).status
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(statuses == [201])
            #expect(try await tickets.count() == 500)
        }
    }

    @Test("a bucket empties and refills, separately for each key")
    func buckets() {
        let limiter = RateLimiter(RateLimit(perSecond: 2, burst: 3), capacity: 2)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        #expect((0..<3).allSatisfy { _ in limiter.take("a", now: start) == nil })
        #expect(limiter.take("a", now: start) == 1)
        #expect(limiter.take("b", now: start) == nil)
        #expect(limiter.take("a", now: start + .milliseconds(500)) == nil)
        #expect(limiter.take("a", now: start + .milliseconds(500)) == 1)
    }

    @Test("a request that waits outside releases its place, and gets one again before any new request")
    func comingBack() async throws {
        let admission = Admission(places: 1, seats: 10, patience: .seconds(60))
        #expect(await admission.enter())
        admission.leave()
        #expect(await admission.enter())
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await admission.enter()
                order.note("new")
                admission.leave()
            }
            while !admission.hasWaiting { await Task.yield() }
            group.addTask {
                await admission.comeBack()
                order.note("back")
                admission.leave()
            }
            while !admission.hasReturning { await Task.yield() }
            admission.leave()
        }
        #expect(order.names == ["back", "new"])
        #expect(admission.running == 0)
    }

    @Test("many that leave and return in turn lose no place")
    func manyComingBack() async throws {
        let admission = Admission(places: 3, seats: 500, patience: .seconds(60))
        let crowd = Crowd()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    guard await admission.enter() else { return }
                    for _ in 0..<20 {
                        admission.leave()
                        await Task.yield()
                        await admission.comeBack()
                        crowd.come()
                        crowd.go()
                    }
                    admission.leave()
                }
            }
        }
        #expect(crowd.most <= 3)
        #expect(admission.running == 0)
    }
}

/// The order of arrival.
private final class Order: Sendable {
    private let state = Mutex<[String]>([])

    var names: [String] { state.withLock { $0 } }

    func note(_ name: String) { state.withLock { $0.append(name) } }
}

/// How many are inside at the same time.
private final class Crowd: Sendable {
    private let state = Mutex<(now: Int, most: Int)>((0, 0))

    var most: Int { state.withLock { $0.most } }

    func come() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }

    func go() { state.withLock { $0.now -= 1 } }
}
