package import ClubProtocol

/// The content of a health page: `application/health+json` (draft-inadarei-api-health-check-06).
package struct HealthReport: Codable, Equatable, Sendable {
    package static let contentType = "application/health+json"

    package enum Status: String, Codable, Sendable {
        case pass, warn, fail
    }

    /// The state of one component of the service, or of one it depends on.
    package struct Check: Codable, Equatable, Sendable {
        /// Which one of its kind: the schema, the peer.
        var componentId: String
        /// `datastore`, `component` or `system`.
        var componentType: String
        package var status: Status
        package var time: Timestamp
        /// What is wrong, in a few fixed words; absent if nothing is.
        package var output: String?
        var observedValue: Int?
        var observedUnit: String?

        package init(
            _ componentId: String, type componentType: String, _ status: Status, output: String? = nil,
            milliseconds: Int? = nil
        ) {
            self.componentId = componentId
            self.componentType = componentType
            self.status = status
            time = .now
            self.output = output
            observedValue = milliseconds
            observedUnit = milliseconds.map { _ in "ms" }
        }
    }

    /// The worst of the checks.
    package var status: Status
    var serviceId: String
    package var description: String
    /// By component and measurement: `database:responseTime`, `peer:directory`.
    package var checks: [String: [Check]]

    package init(service: ServiceName, description: String, checks: [String: [Check]]) {
        let all = checks.values.joined().map(\.status)
        status = all.contains(.fail) ? .fail : all.contains(.warn) ? .warn : .pass
        serviceId = service.rawValue
        self.description = description
        self.checks = checks
    }

    /// A warning is no reason to send requests elsewhere: 200.
    package var isServing: Bool { status != .fail }
}
