import ClubProtocol
import Foundation
import Testing

@testable import Directory

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("the coverage map")
struct CoverageMapTests {
    @Test("every département has one square, and no two share one")
    func squares() {
        let tiles = DepartementTile.all
        #expect(tiles.map(\.departement) == Departement.all)
        #expect(Set(tiles.map { [$0.column, $0.row] }).count == 108)
        #expect(tiles.allSatisfy { (0..<DepartementTile.columns).contains($0.column) })
        #expect(tiles.allSatisfy { (0..<DepartementTile.rows).contains($0.row) })
        #expect(tiles.allSatisfy { $0.name != $0.departement.text })
        #expect(Departement("2A").name == "Corse-du-Sud" && Departement("22").name == "Côtes-d'Armor")
    }

    @Test("for nearly every two départements of metropolitan France, north is above south and west is left of east")
    func order() {
        var (pairs, kept) = (0, 0)
        for (index, one) in Self.centres.enumerated() {
            for other in Self.centres[(index + 1)...] {
                if abs(one.latitude - other.latitude) > 0.5 {
                    pairs += 1
                    if (one.tile.row - other.tile.row).signum() != (one.latitude - other.latitude > 0 ? 1 : -1) {
                        kept += 1
                    }
                }
                if abs(one.longitude - other.longitude) > 0.7 {
                    pairs += 1
                    if (one.tile.column - other.tile.column).signum() != (one.longitude - other.longitude > 0 ? -1 : 1)
                    {
                        kept += 1
                    }
                }
            }
        }
        #expect(pairs > 7000)
        #expect(Double(kept) / Double(pairs) > 0.99)
    }

    @Test("départements whose centres are less than 75 km apart are at most two squares apart")
    func neighbours() {
        for (index, one) in Self.centres.enumerated() {
            for other in Self.centres[(index + 1)...] {
                let kilometres = hypot(
                    (one.latitude - other.latitude) * 111, (one.longitude - other.longitude) * 111 * 0.69)
                guard kilometres < 75 else { continue }
                // Around Paris eight départements share the area that elsewhere is one square.
                let steps = max(abs(one.tile.column - other.tile.column), abs(one.tile.row - other.tile.row))
                #expect(steps <= 3 && (steps <= 2 || Self.aroundParis.contains(one.tile.departement)))
            }
        }
    }

    @Test("Corsica and the overseas départements touch no other square")
    func apart() {
        let tiles = DepartementTile.all
        for islands in [["2A", "2B"], Self.overseas] {
            let (inside, outside) = (
                tiles.filter { islands.contains($0.departement.text) },
                tiles.filter { !islands.contains($0.departement.text) }
            )
            for tile in inside {
                #expect(outside.allSatisfy { max(abs($0.column - tile.column), abs($0.row - tile.row)) > 1 })
            }
        }
    }

    @Test("counts are divided into at most five classes, each count in exactly one and zero in none")
    func classes() {
        #expect(CoverageMap.classes([]).isEmpty)
        #expect(CoverageMap.classes([0, 0]).isEmpty)
        #expect(CoverageMap.classes([3, 3]) == [1...3])
        #expect(CoverageMap.classes([1, 2, 9]) == [1...1, 2...2, 3...9])
        let counts = Array(0...100)
        let classes = CoverageMap.classes(counts)
        #expect(classes == [1...20, 21...40, 41...60, 61...80, 81...100])
        #expect(CoverageMap.shade(of: 0, in: classes) == CoverageMap.none)
        #expect(CoverageMap.shade(of: 1, in: classes) == CoverageMap.shades.first)
        #expect(CoverageMap.shade(of: 100, in: classes) == CoverageMap.shades.last)
        // One département has nearly everyone: the others still have different shades.
        #expect(CoverageMap.classes([1, 1, 1, 1, 2, 2, 3, 4, 5, 900]).last?.contains(900) == true)
    }

    @Test("text on a shade is legible (WCAG 2.2, 1.4.3), and each shade is darker than the one before")
    func contrast() {
        for shade in CoverageMap.shades + [CoverageMap.none] {
            let (fill, ink) = (Self.luminance(shade.fill), Self.luminance(shade.ink))
            #expect((max(fill, ink) + 0.05) / (min(fill, ink) + 0.05) >= 4.5, "\(shade.fill)")
        }
        let fills = ([CoverageMap.none] + CoverageMap.shades).map { Self.luminance($0.fill) }
        #expect(zip(fills, fills.dropFirst()).allSatisfy { ($0 + 0.05) / ($1 + 0.05) > 1.2 })
    }

    @Test("the drawing is well-formed, describes itself, and has a tooltip for each square")
    func drawing() throws {
        let svg = try CoverageMap().draw(["64": 3, "2A": 1, "75": 12], of: .experts, topic: "Vente & <caisse>")
        let document = try Reader.read(svg)
        #expect(document.attributes["svg"]?["role"] == "img")
        #expect(document.attributes["svg"]?["aria-labelledby"] == "title description")
        let titles = document.texts["title"] ?? []
        #expect(titles.count == 109)
        #expect(titles.first == "Experts par département – Vente & <caisse>")
        #expect(titles.contains("Pyrénées-Atlantiques (64)\u{A0}: 3 experts"))
        #expect(titles.contains("Corse-du-Sud (2A)\u{A0}: 1 expert"))
        #expect(titles.contains("Ain (01)\u{A0}: aucun expert"))
        #expect(document.texts["desc"]?.first?.contains("105 départements n’ont aucun expert") == true)
        let texts = document.texts["text"] ?? []
        #expect(["Outre-mer et Monaco", "aucun", "1", "2 à 3", "4 à 12"].allSatisfy(texts.contains))
        let empty = try Reader.read(CoverageMap().draw([:], of: .ambassadors, topic: nil))
        #expect(empty.texts["title"]?.first == "Ambassadeurs par département – Tous les thèmes")
        #expect(empty.texts["desc"]?.first?.contains("108 départements n’ont aucun ambassadeur") == true)
    }

    // MARK: Reference data

    private static let overseas = [
        "971", "972", "973", "974", "975", "976", "977", "978", "980", "986", "987", "988",
    ]

    private struct Centre {
        let tile: DepartementTile
        let longitude: Double
        let latitude: Double
    }

    private static let aroundParis: Set<Departement> = ["60", "75", "77", "78", "91", "92", "93", "94", "95"]

    private static let centres: [Centre] = {
        let tiles = Dictionary(uniqueKeysWithValues: DepartementTile.all.map { ($0.departement.text, $0) })
        return table.split(separator: ";").compactMap { entry in
            let parts = entry.split(separator: " ")
            guard parts.count == 3, let tile = tiles[String(parts[0])], let longitude = Double(parts[1]),
                let latitude = Double(parts[2])
            else { return nil }
            return Centre(tile: tile, longitude: longitude, latitude: latitude)
        }
    }()

    /// Code, longitude and latitude of the centre: Code officiel géographique 2024 and the areas of the IGN.
    private static let table = """
        01 5.35 46.10;02 3.56 49.56;03 3.19 46.39;04 6.24 44.11;05 6.26 44.66;06 7.12 43.94;07 4.42 44.75;\
        08 4.64 49.62;09 1.50 42.92;10 4.16 48.30;11 2.41 43.10;12 2.68 44.28;13 5.09 43.54;14 -0.36 49.10;\
        15 2.67 45.05;16 0.20 45.72;17 -0.67 45.78;18 2.49 47.06;19 1.88 45.36;21 4.77 47.42;22 -2.86 48.44;\
        23 2.02 46.09;24 0.74 45.10;25 6.36 47.17;26 5.17 44.68;27 1.00 49.11;28 1.37 48.39;29 -4.06 48.26;\
        2A 8.99 41.86;2B 9.21 42.39;30 4.18 43.99;31 1.17 43.36;32 0.45 43.69;33 -0.58 44.83;34 3.37 43.58;\
        35 -1.64 48.15;36 1.58 46.78;37 0.69 47.26;38 5.58 45.26;39 5.70 46.73;40 -0.78 43.97;41 1.43 47.62;\
        42 4.17 45.73;43 3.81 45.13;44 -1.68 47.36;45 2.34 47.91;46 1.60 44.62;47 0.46 44.37;48 3.50 44.52;\
        49 -0.56 47.39;50 -1.33 49.08;51 4.24 48.95;52 5.23 48.11;53 -0.66 48.15;54 6.17 48.79;55 5.38 48.99;\
        56 -2.81 47.85;57 6.66 49.04;58 3.50 47.12;59 3.22 50.45;60 2.43 49.41;61 0.13 48.62;62 2.29 50.49;\
        63 3.14 45.73;64 -0.76 43.26;65 0.16 43.05;66 2.52 42.60;67 7.55 48.67;68 7.27 47.86;69 4.64 45.87;\
        70 6.09 47.64;71 4.54 46.64;72 0.22 47.99;73 6.44 45.48;74 6.43 46.03;75 2.34 48.86;76 1.03 49.66;\
        77 2.93 48.63;78 1.84 48.81;79 -0.32 46.56;80 2.28 49.96;81 2.17 43.79;82 1.28 44.09;83 6.22 43.46;\
        84 5.19 43.99;85 -1.30 46.67;86 0.46 46.56;87 1.24 45.89;88 6.38 48.20;89 3.56 47.84;90 6.93 47.63;\
        91 2.24 48.52;92 2.25 48.85;93 2.48 48.92;94 2.47 48.78;95 2.13 49.08
        """

    /// The relative luminance of `#rrggbb` (WCAG 2.2).
    private static func luminance(_ colour: String) -> Double {
        let value = Int(colour.dropFirst(), radix: 16) ?? 0
        let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { part -> Double in
            let share = Double(part) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
}
