import ClubProtocol
import ServiceKit

/// Draws how many people serve each département: a square each, darker for more.
struct CoverageMap: Sendable {
    /// A colour with a legible text colour. One hue from light to dark, so that the order stays visible to colour-blind
    /// readers and in black-and-white print.
    struct Shade: Sendable, Equatable {
        let fill: String
        let ink: String
    }

    /// From few to many.
    static let shades = [
        Shade(fill: "#dbe9f6", ink: "#0b1f3a"), Shade(fill: "#a6cbe8", ink: "#0b1f3a"),
        Shade(fill: "#61a0d2", ink: "#0b1f3a"), Shade(fill: "#1f66ad", ink: "#ffffff"),
        Shade(fill: "#0a2f66", ink: "#ffffff"),
    ]
    /// Outside the requested area.
    static let outside = Shade(fill: "#eef1f6", ink: "#5f6b80")
    /// No one: white, with a dashed edge.
    static let none = Shade(fill: "#ffffff", ink: "#5a1a12")

    private static let pitch = 60
    private static let side = 56
    private static let left = 20
    private static let top = 92

    private let template: Template

    init() throws {
        template = try Template(PackageResources.coverage_map_mustache, escaping: .html)
    }

    /// The whole drawing.
    ///
    /// - Parameters:
    ///   - counts: a département that is absent has no one.
    ///   - topic: its label; nil: any topic.
    ///   - area: the part of the country that is counted; nil: all of it.
    func draw(
        _ counts: [Departement: Int], of subject: Coverage.Subject, topic: String?, in area: CoverageArea? = nil
    ) -> String {
        func asks(about departement: Departement) -> Bool { area?.departements.contains(departement) ?? true }
        let classes = Self.classes(counts.filter { asks(about: $0.key) }.map(\.value))
        let empty = DepartementTile.all.count { asks(about: $0.departement) && counts[$0.departement, default: 0] == 0 }
        // The last row has squares at both ends, and room for the legend between them.
        let bottom = Self.top + DepartementTile.rows * Self.pitch
        let legendLeft = Self.left + 3 * Self.pitch
        let legendTop = bottom - Self.pitch
        let context: [String: Any] = [
            "width": Self.left * 2 + DepartementTile.columns * Self.pitch,
            "height": bottom + 12,
            "title": "\(Self.plural(subject, capital: true)) par département",
            "topic": [topic ?? "Tous les thèmes", area?.name].compactMap(\.self).joined(separator: ", "),
            "summary": Self.summary(empty, subject),
            "side": Self.side,
            "legendTitle": "Nombre d’\(Self.plural(subject, capital: false)) par département",
            "legendLeft": legendLeft, "legendTop": legendTop + 14,
            "overseasTop": Self.top + DepartementTile.overseasRow * Self.pitch - 8,
            "left": Self.left,
            "tiles": DepartementTile.all.map { tile -> [String: Any] in
                let count = counts[tile.departement, default: 0]
                let isAsked = asks(about: tile.departement)
                let shade = isAsked ? Self.shade(of: count, in: classes) : Self.outside
                let x = Self.left + tile.column * Self.pitch
                let y = Self.top + tile.row * Self.pitch
                return [
                    "label": "\(tile.name) (\(tile.departement))"
                        + (isAsked ? "\u{A0}: \(Self.counted(count, subject))" : ""),
                    "code": tile.departement.text, "count": isAsked ? "\(count)" : "", "fill": shade.fill,
                    "ink": shade.ink, "isEmpty": isAsked && count == 0, "x": x, "y": y,
                    "middle": x + Self.side / 2, "codeBase": y + 19, "countBase": y + 43,
                ]
            },
            "legend": Self.legend(classes).enumerated().map { index, entry -> [String: Any] in
                let x = legendLeft + index * 86
                return [
                    "text": entry.text, "fill": entry.shade.fill, "isEmpty": index == 0, "x": x, "textLeft": x + 28,
                    "y": legendTop + 26, "base": legendTop + 42,
                ]
            },
        ]
        return template.render(context)
    }

    /// The ranges of counts that share a shade: up to five classes with about as many départements in each, so that a
    /// map is informative whether the counts are small or large. Zero is in no class.
    static func classes(_ counts: [Int]) -> [ClosedRange<Int>] {
        let sorted = counts.filter { $0 > 0 }.sorted()
        let distinct = Set(sorted).sorted()
        let ends: [Int]
        if distinct.count <= shades.count {
            ends = distinct
        } else {
            let quantiles = (1...shades.count).map { sorted[sorted.count * $0 / shades.count - 1] }
            ends = Set(quantiles).sorted()
        }
        var start = 1
        return ends.map { end in
            defer { start = end + 1 }
            return start...end
        }
    }

    /// With fewer than five classes, those in the middle of the scale are left out, to keep the extremes apart.
    static func shade(of count: Int, in classes: [ClosedRange<Int>]) -> Shade {
        guard let place = classes.firstIndex(where: { $0.contains(count) }) else { return none }
        guard classes.count > 1 else { return shades[shades.count / 2] }
        return shades[place * (shades.count - 1) / (classes.count - 1)]
    }

    private static func legend(_ classes: [ClosedRange<Int>]) -> [(text: String, shade: Shade)] {
        [("aucun", none)]
            + classes.map { range in
                let text = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) à \(range.upperBound)"
                return (text, shade(of: range.upperBound, in: classes))
            }
    }

    private static func counted(_ count: Int, _ subject: Coverage.Subject) -> String {
        let singular = subject == .experts ? "expert" : "ambassadeur"
        switch count {
        case 0: return "aucun \(singular)"
        case 1: return "1 \(singular)"
        default: return "\(count) \(singular)s"
        }
    }

    private static func plural(_ subject: Coverage.Subject, capital: Bool) -> String {
        switch subject {
        case .experts: capital ? "Experts" : "experts"
        case .ambassadors: capital ? "Ambassadeurs" : "ambassadeurs"
        }
    }

    private static func summary(_ empty: Int, _ subject: Coverage.Subject) -> String {
        let none = subject == .experts ? "aucun expert" : "aucun ambassadeur"
        switch empty {
        case 0: return "Aucun département n’est sans \(subject == .experts ? "expert" : "ambassadeur")."
        case 1: return "1 département n’a \(none)."
        default: return "\(empty) départements n’ont \(none)."
        }
    }
}
