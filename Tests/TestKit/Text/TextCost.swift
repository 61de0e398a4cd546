package import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What a text costs, beside plain ASCII of as many bytes.
package enum TextCost {
    /// How much dearer a text may be.
    package static let limit = 20.0
    /// Nanoseconds below which two measurements say nothing.
    private static let floor = 100_000.0

    /// The time of this thread alone, the best of several: what else the machine does, does not count.
    package static func nanoseconds(of work: () -> Void) -> Double {
        (0..<5).map { _ in
            let start = now()
            work()
            return now() - start
        }.min() ?? 0
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Expects of work with a text that no hostile one costs more than ``limit`` times ASCII.
    ///
    /// - Parameters:
    ///   - place: where the text stands.
    ///   - bytes: how long it is.
    package static func check(
        _ place: String, bytes: Int = 60_000, texts: [HostileText] = HostileText.allCases,
        sourceLocation: SourceLocation = #_sourceLocation, _ work: (String) -> Void
    ) {
        for hostile in texts {
            let text = hostile.text(bytes: bytes)
            let plain = String(repeating: "a", count: text.utf8.count)
            let known = max(nanoseconds { work(plain) }, floor)
            let ratio = nanoseconds { work(text) } / known
            #expect(ratio <= limit, "\(place) \(hostile): \(ratio) times ASCII", sourceLocation: sourceLocation)
        }
    }
}
