import ClubProtocol

extension TokenVerifier {
    /// A trust file that cannot be used, for the health page.
    var warnings: [String: [HealthReport.Check]] {
        guard let trouble else { return [:] }
        let output =
            "not usable since \(trouble.since.text): \(trouble.reason); "
            + "the previous one stays in force, and tokens that this one revokes are still accepted"
        return ["identity:trustFile": [.init("trustFile", type: "component", .warn, output: output)]]
    }
}
