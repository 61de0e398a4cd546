import ClubProtocol
import ServiceKit

/// `/v1/people/{person}/data`, `/v1/experts/{expert}/data`
struct PersonalDataRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(GetPersonData.self, getOfPerson)
        builder.routes.read(GetExpertData.self, getOfExpert)
    }

    private var records: PersonalRecords { PersonalRecords(backend: backend) }

    @Sendable func getOfPerson(_ call: Call<GetPersonData>) async throws -> RouteResponse<AccessDocument> {
        .value(try await records.document(of: DataSubject(call.path), for: call.principal))
    }

    @Sendable func getOfExpert(_ call: Call<GetExpertData>) async throws -> RouteResponse<AccessDocument> {
        .value(try await records.document(of: DataSubject(call.path), for: call.principal))
    }
}
