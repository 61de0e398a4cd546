import ClubProtocol
import ServiceKit

/// `/v1/mail-checks`.
struct MailCheckRoutes {
    let checks: MailChecks

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListMailChecks.self) { _ in
            .value(.init(checks: await checks.run()))
        }
    }
}
