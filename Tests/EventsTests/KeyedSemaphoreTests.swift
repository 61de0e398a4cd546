import ClubProtocol
import Synchronization
import Testing

@testable import Events

@Suite("The semaphore in front of the seats")
struct KeyedSemaphoreTests {
    @Test("no more tasks than its width enter at once, and all get through")
    func width() async throws {
        let semaphore = KeyedSemaphore(width: 3)
        let event = Event.ID()
        let room = Room()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    let pass = try await semaphore.enter(event)
                    room.enter()
                    await Task.yield()
                    room.leave()
                    withExtendedLifetime(pass) {}
                }
            }
            try await group.waitForAll()
        }
        #expect(room.all == 100)
        #expect(room.most <= 3)
        #expect(semaphore.waiting(for: event) == 0)
    }

    @Test("a cancelled waiter does not delay those behind it, and another event does not wait at all")
    func cancellation() async throws {
        let semaphore = KeyedSemaphore(width: 1)
        let event = Event.ID()
        var first: KeyedSemaphore.Pass? = try await semaphore.enter(event)
        let second = Task { _ = try await semaphore.enter(event) }
        while semaphore.waiting(for: event) < 1 { await Task.yield() }
        let third = Task { _ = try await semaphore.enter(event) }
        while semaphore.waiting(for: event) < 2 { await Task.yield() }
        _ = try await semaphore.enter(Event.ID())
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(semaphore.waiting(for: event) == 1)
        withExtendedLifetime(first) {}
        first = nil
        try await third.value
        _ = try await semaphore.enter(event)
    }
}

/// Counts the tasks inside.
private final class Room: Sendable {
    private let count = Mutex((now: 0, most: 0, all: 0))

    var most: Int { count.withLock { $0.most } }
    var all: Int { count.withLock { $0.all } }

    func enter() {
        count.withLock {
            $0.now += 1
            $0.all += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave() { count.withLock { $0.now -= 1 } }
}
