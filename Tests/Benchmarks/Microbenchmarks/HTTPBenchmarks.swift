import ClubProtocol
import ServiceKit

extension Benchmark {
    /// Finds the routes of six requests among all of the directory's.
    static let router = Benchmark(name: "router") {
        var routes = Routes()
        for endpoint in DirectoryAPI.endpoints { mount(endpoint, on: &routes) }
        let table = try RouteTable(routes)
        let identifier = "0190d2a4-7c3b-7a51-9e0f-5d2c8b7a6f41"
        let requests: [(RequestHead.Method, String)] = [
            (.get, "/v1/experts?subKind=webAgency&departement=64&limit=50"), (.get, "/v1/experts/\(identifier)"),
            (.patch, "/v1/people/\(identifier)"), (.head, "/v1/organizations/\(identifier)"),
            (.delete, "/v1/experts"), (.get, "/v1/unknown/\(identifier)"),
        ]
        return {
            var found = 0
            for (method, target) in requests {
                if case .route = table.match(method, target) { found += 1 }
            }
            return found
        }
    }

    private static func mount<E: Endpoint>(_: E.Type, on routes: inout Routes) {
        routes.read(E.self) { _ in throw Problem(.notFound) }
    }

    /// Reads and validates the body of a request.
    static let jsonReader = Benchmark(name: "json-reader") {
        let body = Array(
            #"""
            {"subKind":"webAgency","name":"Agence Etcheverry & Fils","siret":"73282932000074",
             "contactName":"Camille Etcheverry","email":"camille@etcheverry.example","telephone":"+33559000001",
             "postalCode":"64000","commune":"Pau","departements":["64","40","65"],"topics":["webSite"],
             "brands":["Bella Vista","Océane \"Sud\"","Cîmes"],"website":"https://etcheverry.example/agence",
             "consents":{"publicDirectory":true}}
            """#.utf8)
        return { try StrictJSON.decode(CreateExpert.Body.self, from: body).brands?.count ?? 0 }
    }
}
