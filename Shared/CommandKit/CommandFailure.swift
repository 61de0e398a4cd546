package import ClubProtocol
import ServiceKit

/// Why a command failed: one line on standard error, exit code 1.
package struct CommandFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// A failed call, explained to the person at the keyboard.
    package init(calling service: ServiceName, _ error: any Error) {
        switch error {
        case ServiceClientError.problem(let problem):
            let fields = (problem.errors ?? []).map { "\($0.pointer) \($0.detail)" }
            let parts = [problem.title, problem.detail].compactMap { $0 } + fields
            description = "\(service.rawValue) answered \(problem.status): \(parts.joined(separator: "; "))"
        case ServiceClientError.unavailable(let name, let reason) where reason.hasPrefix("answered"):
            description = """
                \(name.rawValue) is running but cannot do its work now (\(reason)); wait until `club health` says that it is \
                ready, then run the command again
                """
        case ServiceClientError.unavailable(let name, let reason):
            description = "\(name.rawValue) cannot be reached (\(reason)); is it running? see `club health`"
        case ServiceClientError.deadline(let name):
            description = "\(name.rawValue) did not answer in time"
        case let failure as CommandFailure:
            self = failure
        default:
            description = "\(service.rawValue): \(error)"
        }
    }
}
