/// A condition that a test has waited for in vain.
package struct NotSo: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until a condition is true, at most a minute.
///
/// - Throws: ``NotSo`` when it does not become true, and what the condition throws.
package func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NotSo(description: "in vain waited for: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
