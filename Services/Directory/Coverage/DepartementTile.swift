import ClubProtocol

/// The square of a département on the tile map of France.
///
/// A map to scale hides the small and crowded départements, where most firms are: here each has the same square. The
/// squares keep relative positions: north, south, east and west, and neighbours. Corsica is off the coast; the overseas
/// départements and collectivities, and Monaco, are in two columns of their own.
struct DepartementTile: Sendable {
    let departement: Departement
    let name: String
    /// From the west, starting at 0.
    let column: Int
    /// From the north, starting at 0.
    let row: Int

    static let columns = 14
    static let rows = 13
    /// The first row of the two overseas columns.
    static let overseasRow = 7

    /// All 108, in official order.
    static let all: [DepartementTile] = {
        var tiles: [DepartementTile] = []
        for (row, line) in layout.split(separator: "\n").enumerated() {
            for (column, code) in line.split(separator: " ").enumerated() where code != ".." {
                let departement = Departement(stringLiteral: String(code))
                tiles.append(
                    DepartementTile(departement: departement, name: departement.name, column: column, row: row))
            }
        }
        return tiles.sorted { $0.departement < $1.departement }
    }()

    private static let layout = """
        .. .. .. .. .. .. .. 62 59 .. .. .. .. ..
        .. .. .. .. .. .. 76 80 60 02 08 .. .. ..
        .. .. .. .. 50 14 27 95 93 51 55 54 57 67
        .. .. 29 22 35 61 78 92 75 77 10 52 88 68
        .. .. .. 56 53 72 28 91 94 89 21 70 90 ..
        .. .. .. 44 49 37 41 45 18 58 71 39 25 ..
        .. .. .. 85 79 86 36 23 03 42 69 01 74 ..
        971 975 .. .. 17 16 87 19 63 43 26 38 73 ..
        972 977 .. .. 33 24 46 15 48 07 84 05 .. ..
        973 978 .. .. 40 47 82 12 34 30 13 04 06 ..
        974 986 .. .. 64 32 31 81 11 .. .. 83 .. ..
        976 987 .. .. .. 65 09 66 .. .. .. .. .. 2B
        980 988 .. .. .. .. .. .. .. .. .. .. .. 2A
        """
}

extension Departement {
    /// As in the Code officiel géographique: `Ain`, `Côtes-d'Armor`.
    var name: String { Self.names[self] ?? text }

    private static let names: [Departement: String] = Dictionary(
        uniqueKeysWithValues: table.split(separator: ";").map { entry in
            let parts = entry.split(separator: "=")
            return (Departement(stringLiteral: String(parts[0])), String(parts[1]))
        })

    private static let table = """
        01=Ain;02=Aisne;03=Allier;04=Alpes-de-Haute-Provence;05=Hautes-Alpes;06=Alpes-Maritimes;07=Ardèche;\
        08=Ardennes;09=Ariège;10=Aube;11=Aude;12=Aveyron;13=Bouches-du-Rhône;14=Calvados;15=Cantal;16=Charente;\
        17=Charente-Maritime;18=Cher;19=Corrèze;21=Côte-d'Or;22=Côtes-d'Armor;23=Creuse;24=Dordogne;25=Doubs;\
        26=Drôme;27=Eure;28=Eure-et-Loir;29=Finistère;2A=Corse-du-Sud;2B=Haute-Corse;30=Gard;31=Haute-Garonne;\
        32=Gers;33=Gironde;34=Hérault;35=Ille-et-Vilaine;36=Indre;37=Indre-et-Loire;38=Isère;39=Jura;40=Landes;\
        41=Loir-et-Cher;42=Loire;43=Haute-Loire;44=Loire-Atlantique;45=Loiret;46=Lot;47=Lot-et-Garonne;48=Lozère;\
        49=Maine-et-Loire;50=Manche;51=Marne;52=Haute-Marne;53=Mayenne;54=Meurthe-et-Moselle;55=Meuse;56=Morbihan;\
        57=Moselle;58=Nièvre;59=Nord;60=Oise;61=Orne;62=Pas-de-Calais;63=Puy-de-Dôme;64=Pyrénées-Atlantiques;\
        65=Hautes-Pyrénées;66=Pyrénées-Orientales;67=Bas-Rhin;68=Haut-Rhin;69=Rhône;70=Haute-Saône;\
        71=Saône-et-Loire;72=Sarthe;73=Savoie;74=Haute-Savoie;75=Paris;76=Seine-Maritime;77=Seine-et-Marne;\
        78=Yvelines;79=Deux-Sèvres;80=Somme;81=Tarn;82=Tarn-et-Garonne;83=Var;84=Vaucluse;85=Vendée;86=Vienne;\
        87=Haute-Vienne;88=Vosges;89=Yonne;90=Territoire de Belfort;91=Essonne;92=Hauts-de-Seine;\
        93=Seine-Saint-Denis;94=Val-de-Marne;95=Val-d'Oise;971=Guadeloupe;972=Martinique;973=Guyane;974=La Réunion;\
        975=Saint-Pierre-et-Miquelon;976=Mayotte;977=Saint-Barthélemy;978=Saint-Martin;980=Monaco;\
        986=Wallis-et-Futuna;987=Polynésie française;988=Nouvelle-Calédonie;990=Étranger
        """
}
