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

/// Writes lines to a descriptor that may have no reader, and never makes the caller wait for it.
///
/// Lines are kept in a bounded buffer, which a dedicated thread empties. Lines that do not fit are dropped and counted,
/// and a notice reports their number as soon as there is room: a log must not stop a service.
final class LogWriter: Sendable {
    private struct State {
        var lines: [UInt8] = []
        /// Bytes that the thread has taken out of `lines` and not written yet.
        var underWay = 0
        /// Lines dropped since the last notice.
        var dropped = 0
        var droppedEver = 0
        var isStarted = false
        var notice: @Sendable (_ dropped: Int) -> [UInt8] = { Array("\($0) lines were dropped\n".utf8) }

        var isIdle: Bool { lines.isEmpty && underWay == 0 && dropped == 0 }
    }

    /// Room for about a thousand lines: more than a burst of errors writes before the thread runs.
    static let standardCapacity = 256 * 1024

    private let descriptor: Int32
    private let capacity: Int
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: stays open for the life of the process.
    ///   - capacity: how many bytes may wait for the descriptor.
    init(descriptor: Int32, capacity: Int = LogWriter.standardCapacity) {
        self.descriptor = descriptor
        self.capacity = capacity
    }

    /// How many lines were dropped since the process started.
    var dropped: Int { state.withLock { $0.droppedEver } }

    /// Sets the format of the notice about dropped lines.
    func announce(_ notice: @escaping @Sendable (_ dropped: Int) -> [UInt8]) {
        state.withLock { $0.notice = notice }
    }

    /// Takes a whole line, including the newline, or drops it. Never waits for the descriptor.
    func write(_ line: [UInt8]) {
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

    /// Waits until everything is written, or the time is over: for the end of the process.
    func flush(within limit: Duration) {
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

    /// Takes all waiting lines, and the notice about dropped ones; nil when there is nothing.
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
                    // The creator of the descriptor made it non-blocking.
                    var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&question, 1, -1)
                } else if errno != EINTR {
                    return lose(rest)
                }
            }
        }
    }

    /// The descriptor accepts nothing more: its reader is gone, or its disk is full.
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
        // Writes what is left in the buffer when the process exits, if there is a reader.
        atexit { StandardError.flush(within: .seconds(1)) }
        return LogWriter(descriptor: 2)
    }()

    /// Takes the bytes of a whole line, including the newline, and returns at once; see ``LogWriter``.
    package static func write(_ bytes: [UInt8]) {
        writer.write(bytes)
    }

    /// Writes one line for the person who started a command.
    package static func line(_ text: String) {
        write(Array("\(text)\n".utf8))
    }

    /// How many lines were dropped.
    static var dropped: Int { writer.dropped }

    /// Sets the format of the notice about dropped lines.
    static func announce(_ notice: @escaping @Sendable (_ dropped: Int) -> [UInt8]) {
        writer.announce(notice)
    }

    /// Waits until everything is written, or the time is over. `exit` does this by itself.
    static func flush(within limit: Duration) {
        writer.flush(within: limit)
    }
}
