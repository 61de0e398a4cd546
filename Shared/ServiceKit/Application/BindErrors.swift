import Glibc
import NIOCore
import ServiceLifecycle

/// A listener that reports, when it cannot bind, which address failed and which variable changes it.
struct BindErrors: Service {
    let variable: String
    let host: String
    let port: Int
    let listener: any Service

    func run() async throws {
        do {
            try await listener.run()
        } catch let error as IOError {
            throw problem(String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError {
            throw problem("\(error)")
        }
    }

    private func problem(_ reason: String) -> ConfigurationProblem {
        ConfigurationProblem(variable, "cannot listen on \(host):\(port): \(reason)")
    }
}
