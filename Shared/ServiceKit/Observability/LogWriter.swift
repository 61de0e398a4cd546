import Dispatch
import Postgres
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes lines to a descriptor that perhaps nobody reads, and never makes the caller wait for it.
///
/// Lines stand in a bounded buffer, which one thread of its own empties. What does not fit is dropped and counted, and a
/// line says how many those were as soon as there is room: a log must not stop a service.
package final class LogWriter: Sendable {
    private struct State {
        var lines: [UInt8] = []
        /// Bytes that the thread has taken out of `lines` and the descriptor has not taken yet.
        var underWay = 0
        /// Lines dropped since the last notice.
        var dropped = 0
        var droppedEver = 0
        var isStarted = false
        var notice: @Sendable (_ dropped: Int) -> [UInt8] = { Array("\($0) lines were dropped\n".utf8) }

        var isIdle: Bool { lines.isEmpty && underWay == 0 && dropped == 0 }
    }

    /// Room for about a thousand lines: more than a burst of errors writes before the thread has its turn.
    package static let standardCapacity = 256 * 1024

    private let descriptor: Int32
    private let capacity: Int
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: stays open for as long as the process lives.
    ///   - capacity: the bytes that may wait for the descriptor.
    package init(descriptor: Int32, capacity: Int = LogWriter.standardCapacity) {
        self.descriptor = descriptor
        self.capacity = capacity
    }

    /// How many lines were dropped since the process started.
    package var dropped: Int { state.withLock { $0.droppedEver } }

    /// How the line that tells of dropped ones is written.
    package func announce(_ notice: @escaping @Sendable (_ dropped: Int) -> [UInt8]) {
        state.withLock { $0.notice = notice }
    }

    /// Takes a whole line, newline included, or drops it. Never waits for the descriptor.
    package func write(_ line: [UInt8]) {
        let (mustWake, mustStart) = state.withLock { state in
            let wasIdle = state.isIdle
            if line.count <= capacity - state.lines.count - state.underWay {
                state.lines += line
            } else {
                state.dropped += 1
                state.droppedEver += 1
            }
            defer { state.isStarted = true }
            return (wasIdle, !state.isStarted)
        }
        if mustStart { start() }
        if mustWake { work.signal() }
    }

    /// Waits until everything is written, or until this time has passed: for the end of the process.
    package func flush(within limit: Duration) {
        let end = ContinuousClock.now.advanced(by: limit)
        while !state.withLock({ $0.isIdle }), ContinuousClock.now < end { usleep(1000) }
    }

    private func start() {
        BackgroundThread.start("log") { [self] in
            while true {
                while let bytes = take() { put(bytes) }
                work.wait()
            }
        }
    }

    /// Everything that waits, and the notice of what found no room; nil when there is nothing.
    private func take() -> [UInt8]? {
        state.withLock { state in
            guard !state.isIdle else { return nil }
            var bytes: [UInt8] = []
            swap(&bytes, &state.lines)
            if state.dropped > 0 { bytes += state.notice(state.dropped) }
            state.dropped = 0
            state.underWay = bytes.count
            return bytes
        }
    }

    private func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = system_write(UnsafeRawBufferPointer(rebasing: rest.prefix(64 * 1024)))
                if count > 0 {
                    rest = rest.dropFirst(count)
                    state.withLock { $0.underWay -= count }
                } else if errno == EAGAIN {
                    // Whoever gave us the descriptor made it one that does not wait.
                    var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&question, 1, -1)
                } else if errno != EINTR {
                    return lose(rest)
                }
            }
        }
    }

    /// The descriptor takes nothing at all, now and later: its reader is gone, or its disk is full.
    private func lose(_ rest: Slice<UnsafeRawBufferPointer>) {
        let lines = rest.count { $0 == UInt8(ascii: "\n") }
        state.withLock { state in
            state.underWay = 0
            state.droppedEver += lines
        }
    }

    private func system_write(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}

/// Standard error, a line at a time.
package enum StandardError {
    private static let writer: LogWriter = {
        // What stands in the buffer when the process ends is still written, if somebody reads it.
        atexit { StandardError.flush(within: .seconds(1)) }
        return LogWriter(descriptor: 2)
    }()

    /// Takes the bytes of a whole line, newline included, and returns at once; see ``LogWriter``.
    package static func write(_ bytes: [UInt8]) {
        writer.write(bytes)
    }

    /// One line for the person who started a command.
    package static func line(_ text: String) {
        write(Array("\(text)\n".utf8))
    }

    /// How many lines found no room.
    static var dropped: Int { writer.dropped }

    /// How the line that tells of dropped ones is written.
    static func announce(_ notice: @escaping @Sendable (_ dropped: Int) -> [UInt8]) {
        writer.announce(notice)
    }

    /// Waits until everything is written, or until this time has passed. Ending the process by `exit` does this by itself.
    static func flush(within limit: Duration) {
        writer.flush(within: limit)
    }
}
