import ClubProtocol
import Testing

@testable import Demo

@Suite("the demo's people")
struct DemoPopulationTests {
    @Test("their numbers are the club's, each with an address and a number of its own")
    func counts() throws {
        let experts = (0..<DemoPopulation.experts).map(DemoPopulation.provider)
        let advisers = (0..<DemoPopulation.ambassadors).map(DemoPopulation.adviser)
        #expect(experts.count == 5_150)
        #expect(experts.count(where: \.isWebAgency) == 2_500)
        #expect(Set(experts.map(\.siret)).count == experts.count)
        #expect(Set(experts.map(\.email) + advisers.map(\.email)).count == experts.count + advisers.count)
        #expect(DemoPopulation.institutionNames.count == DemoPopulation.institutions)
        #expect(DemoPopulation.brandNames.count == DemoPopulation.brands)
        #expect(Set(DemoPopulation.institutionNames.map(\.name) + DemoPopulation.brandNames).count == 70)
    }

    @Test("all of their data is valid")
    func validity() throws {
        for number in 0..<DemoPopulation.experts {
            let expert = DemoPopulation.provider(number)
            _ = try Siret(validating: expert.siret)
            _ = try EmailAddress(validating: expert.email)
            _ = try Telephone(validating: expert.telephone)
            _ = try PostalCode(validating: expert.commune.postalCode)
            _ = try Departement(validating: expert.territory.code)
            _ = try Line(validating: expert.name)
            #expect(Set(expert.topics).count == expert.topics.count)
        }
        for number in 0..<DemoPopulation.ambassadors {
            _ = try EmailAddress(validating: DemoPopulation.adviser(number).email)
        }
    }

    @Test("the same number gives the same person")
    func deterministic() {
        for number in [0, 17, 1_199] {
            let first = DemoPopulation.adviser(number)
            let second = DemoPopulation.adviser(number)
            #expect(first.email == second.email)
            #expect(first.territory.code == second.territory.code)
        }
    }

    @Test("every département of a région is included, with a commune")
    func territories() {
        let departements = Departement.all.filter { Region(of: $0) != nil }
        #expect(Set(Territory.all.map(\.code)) == Set(departements.map(\.text)))
        #expect(Territory.all.allSatisfy { !$0.communes.isEmpty })
    }
}
