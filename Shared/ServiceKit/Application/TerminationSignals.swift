import Postgres
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// SIGTERM and SIGINT: the first one requests a graceful shutdown, the second one ends the process at once.
///
/// Neither needs a thread of Swift's pool, so a service whose pool is stuck can still be ended. The watchdog has a
/// thread of its own for the same reason.
enum TerminationSignals {
    private static let count = Atomic<Int>(0)
    private static let pipe = Atomic<Int32>(-1)

    /// Installs the handlers, once per process. `onFirst` runs on a thread of its own.
    static func handle(onFirst: @escaping @Sendable () -> Void) {
        // Writing to a client that has gone is an error of that write, not of the process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard ends.withUnsafeMutableBufferPointer({ system_pipe($0.baseAddress) }) == 0 else { return }
        pipe.store(ends[1], ordering: .releasing)
        _ = count.load(ordering: .relaxed)
        let reading = ends[0]
        BackgroundThread.start("signals") {
            var byte: UInt8 = 0
            while read(reading, &byte, 1) < 0, errno == EINTR {}
            onFirst()
        }
        for number in [SIGTERM, SIGINT] {
            // Only what POSIX allows in a handler: lock-free atomics, write(2), _exit(2).
            signal(number) { number in
                if TerminationSignals.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
                var byte: UInt8 = 1
                _ = write(TerminationSignals.pipe.load(ordering: .acquiring), &byte, 1)
            }
        }
    }

    /// Ends the process with exit code 1 after this time, whatever it is doing.
    static func exitAfter(_ limit: Duration) {
        let seconds = limit / .seconds(1)
        BackgroundThread.start("watchdog") {
            usleep(useconds_t(seconds * 1_000_000))
            StandardError.line("shutdown took longer than \(Int(seconds)) s: ending")
            StandardError.flush(within: .milliseconds(500))
            _exit(1)
        }
    }

    private static func system_pipe(_ ends: UnsafeMutablePointer<Int32>?) -> Int32 {
        guard let ends else { return -1 }
        #if canImport(Glibc)
            return Glibc.pipe(ends)
        #elseif canImport(Musl)
            return Musl.pipe(ends)
        #else
            return Darwin.pipe(ends)
        #endif
    }
}
