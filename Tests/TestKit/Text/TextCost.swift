package import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What a text costs compared with plain ASCII of as many bytes.
package enum TextCost {
    /// The highest ratio allowed.
    package static let limit = 20.0
    /// Nanoseconds below which a measurement is too inaccurate.
    private static let floor = 100_000.0

    /// The CPU time of this thread alone, the best of several runs: other load on the machine does not count.
    package static func nanoseconds(of work: () -> Void) -> Double {
        (0..<5).map { _ in once(work) }.min() ?? 0
    }

    private static func once(_ work: () -> Void) -> Double {
        let start = now()
        work()
        return now() - start
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Expects that with no hostile text `work` costs more than ``limit`` times as much as with ASCII.
    ///
    /// - Parameters:
    ///   - place: where the text occurs.
    ///   - bytes: its length.
    package static func check(
        _ place: String, bytes: Int = 60_000, texts: [HostileText] = HostileText.allCases,
        sourceLocation: SourceLocation = #_sourceLocation, _ work: (String) -> Void
    ) {
        for hostile in texts {
            let text = hostile.text(bytes: bytes)
            let plain = String(repeating: "a", count: text.utf8.count)
            var ratio = once { work(text) } / max(once { work(plain) }, floor)
            // One measurement within the limit is enough; a failure must be beyond it in the best of several.
            if ratio > limit { ratio = nanoseconds { work(text) } / max(nanoseconds { work(plain) }, floor) }
            #expect(ratio <= limit, "\(place) \(hostile): \(ratio) times ASCII", sourceLocation: sourceLocation)
        }
    }
}
