/// The départements of France with their région, their chef-lieu and two more communes each, from the Code officiel
/// géographique: where the demo's people live.
struct Territory: Sendable {
    struct Commune: Sendable {
        let name: String
        let postalCode: String
    }

    let code: String
    let name: String
    let region: String
    let communes: [Commune]

    static let all: [Territory] = table.split(separator: "\n").map { line in
        let cells = line.split(separator: "|").map(String.init)
        return Territory(
            code: cells[0], name: cells[1], region: cells[2],
            communes: cells[3...].map { cell in
                Commune(name: String(cell.dropFirst(6)), postalCode: String(cell.prefix(5)))
            })
    }

    private static let table = """
        01|Ain|Auvergne-Rhône-Alpes|01000 Bourg-en-Bresse|01500 Douvres|01290 Pont-de-Veyle
        02|Aisne|Hauts-de-France|02000 Laon|02260 Englancourt|02340 Noircourt
        03|Allier|Auvergne-Rhône-Alpes|03000 Moulins|03310 Durdat-Larequille|03150 Rongères
        04|Alpes-de-Haute-Provence|Provence-Alpes-Côte d'Azur|04000 Digne-les-Bains|04400 Faucon-de-Barcelonnette|04230 Revest-Saint-Martin
        05|Hautes-Alpes|Provence-Alpes-Côte d'Azur|05000 Gap|05800 La Chapelle-en-Valgaudémar|05400 La Roche-des-Arnauds
        06|Alpes-Maritimes|Provence-Alpes-Côte d'Azur|06000 Nice|06340 Drap|06670 La Roquette-sur-Var
        07|Ardèche|Auvergne-Rhône-Alpes|07000 Privas|07120 Labeaume|07590 Saint-Étienne-de-Lugdarès
        08|Ardennes|Grand Est|08000 Charleville-Mézières|08250 Fléville|08140 Pouru-aux-Bois
        09|Ariège|Occitanie|09000 Foix|09140 Ercé|09100 Pamiers
        10|Aube|Grand Est|10000 Troyes|10320 Fays-la-Chapelle|10110 Polisot
        11|Aude|Occitanie|11000 Carcassonne|11700 Fontcouverte|11300 Pomy
        12|Aveyron|Occitanie|12000 Rodez|12300 Flagnac|12200 La Rouquette
        13|Bouches-du-Rhône|Provence-Alpes-Côte d'Azur|13001 Marseille|13120 Gardanne|13740 Le Rove
        14|Calvados|Normandie|14000 Caen|14220 Espins|14690 Pierrefitte-en-Cinglais
        15|Cantal|Auvergne-Rhône-Alpes|15000 Aurillac|15120 Lapeyrugue|15150 Saint-Étienne-Cantalès
        16|Charente|Nouvelle-Aquitaine|16000 Angoulême|16380 Feuillade|16360 Reignac
        17|Charente-Maritime|Nouvelle-Aquitaine|17000 La Rochelle|17510 Fontaine-Chalendray|17150 Saint-Dizant-du-Bois
        18|Cher|Centre-Val de Loire|18000 Bourges|18110 Fussy|18220 Rians
        19|Corrèze|Nouvelle-Aquitaine|19000 Tulle|19170 Lacelle|19600 Saint-Cernin-de-Larche
        21|Côte-d'Or|Bourgogne-Franche-Comté|21000 Dijon|21120 Échevannes|21250 Pagny-le-Château
        22|Côtes-d'Armor|Bretagne|22000 Saint-Brieuc|22230 Loscouët-sur-Meu|22400 Quintenic
        23|Creuse|Nouvelle-Aquitaine|23000 Guéret|23450 Fresselines|23200 Saint-Amand
        24|Dordogne|Nouvelle-Aquitaine|24000 Périgueux|24130 Ginestet|24250 Saint-Cybranet
        25|Doubs|Bourgogne-Franche-Comté|25000 Besançon|25290 Épeugney|25600 Nommay
        26|Drôme|Auvergne-Rhône-Alpes|26000 Valence|26560 Eygalayes|26310 Les Prés
        27|Eure|Normandie|27000 Évreux|27110 Épreville-près-le-Neubourg|27130 Piseux
        28|Eure-et-Loir|Centre-Val de Loire|28000 Chartres|28330 Les Étilleux|28310 Oinville-Saint-Liphard
        29|Finistère|Bretagne|29000 Quimper|29830 Lampaul-Ploudalmézeau|29410 Plounéour-Ménez
        2A|Corse-du-Sud|Corse|20000 Ajaccio|20117 Eccica-Suarella|20110 Propriano
        2B|Haute-Corse|Corse|20200 Bastia|20244 Lano|20215 Porri
        30|Gard|Occitanie|30000 Nîmes|30160 Gagnières|30360 Saint-Césaire-de-Gauzignan
        31|Haute-Garonne|Occitanie|31000 Toulouse|31210 Franquevielle|31560 Nailloux
        32|Gers|Occitanie|32000 Auch|32380 L'Isle-Bouzon|32320 Peyrusse-Grande
        33|Gironde|Nouvelle-Aquitaine|33000 Bordeaux|33890 Gensac|33660 Saint-Antoine-sur-l'Isle
        34|Hérault|Occitanie|34000 Montpellier|34190 Gorniès|34520 Les Rives
        35|Ille-et-Vilaine|Bretagne|35000 Rennes|35580 Goven|35240 Retiers
        36|Indre|Centre-Val de Loire|36000 Châteauroux|36230 Gournay|36300 Pouligny-Saint-Pierre
        37|Indre-et-Loire|Centre-Val de Loire|37000 Tours|37380 Crotelles|37800 Ports-sur-Vienne
        38|Isère|Auvergne-Rhône-Alpes|38000 Grenoble|38280 Janneyrias|38960 Saint-Étienne-de-Crossey
        39|Jura|Bourgogne-Franche-Comté|39000 Lons-le-Saunier|39230 Darbonnay|39570 Nogna
        40|Landes|Nouvelle-Aquitaine|40000 Mont-de-Marsan|40990 Gourbera|40300 Peyrehorade
        41|Loir-et-Cher|Centre-Val de Loire|41000 Blois|41800 Les Hayes|41110 Saint-Aignan
        42|Loire|Auvergne-Rhône-Alpes|42000 Saint-Étienne|42430 Juré|42990 Saint-Georges-en-Couzan
        43|Haute-Loire|Auvergne-Rhône-Alpes|43000 Le Puy-en-Velay|43220 Dunières|43380 Saint-Cirgues
        44|Loire-Atlantique|Pays de la Loire|44000 Nantes|44670 Juigné-des-Moutiers|44860 Saint-Aignan-Grandlieu
        45|Loiret|Centre-Val de Loire|45000 Orléans|45190 Cravant|45160 Olivet
        46|Lot|Occitanie|46000 Cahors|46400 Frayssinhes|46090 Pradines
        47|Lot-et-Garonne|Nouvelle-Aquitaine|47000 Agen|47200 Gaujac|47800 Puysserampion
        48|Lozère|Occitanie|48000 Mende|48100 Gabrias|48150 Le Rozier
        49|Maine-et-Loire|Pays de la Loire|49000 Angers|49000 Écouflant|49400 Rou-Marson
        50|Manche|Normandie|50000 Saint-Lô|50370 Le Grand-Celland|50570 Remilly Les Marais
        51|Marne|Grand Est|51000 Châlons-en-Champagne|51800 Éclaires|51480 Pourcy
        52|Haute-Marne|Grand Est|52000 Chaumont|52290 Éclaron-Braucourt-Sainte-Livière|52200 Ormancey
        53|Mayenne|Pays de la Loire|53000 Laval|53260 Entrammes|53400 Pommerieux
        54|Meurthe-et-Moselle|Grand Est|54000 Nancy|54710 Fléville-devant-Nancy|54150 Norroy-le-Sec
        55|Meuse|Grand Est|55000 Bar-le-Duc|55200 Frémeréville-sous-les-Côtes|55150 Ornes
        56|Morbihan|Bretagne|56000 Vannes|56650 Inzinzac-Lochrist|56400 Pluneret
        57|Moselle|Grand Est|57000 Metz|57930 Gosselming|57140 Norroy-le-Veneur
        58|Nièvre|Bourgogne-Franche-Comté|58000 Nevers|58230 Dun-les-Places|58170 Poil
        59|Nord|Hauts-de-France|59000 Lille|59219 Étrœungt|59264 Onnaing
        60|Oise|Hauts-de-France|60000 Beauvais|60960 Feuquières|60480 Noyers-Saint-Martin
        61|Orne|Normandie|61000 Alençon|61100 Flers|61230 Résenlieu
        62|Pas-de-Calais|Hauts-de-France|62000 Arras|62179 Escalles|62170 Neuville-sous-Montreuil
        63|Puy-de-Dôme|Auvergne-Rhône-Alpes|63000 Clermont-Ferrand|63600 La Forie|63410 Saint-Angel
        64|Pyrénées-Atlantiques|Nouvelle-Aquitaine|64000 Pau|64330 Claracq|64230 Mazerolles
        65|Hautes-Pyrénées|Occitanie|65000 Tarbes|65140 Escondeaux|65250 Montoussé
        66|Pyrénées-Orientales|Occitanie|66000 Perpignan|66220 Fenouillet|66360 Railleu
        67|Bas-Rhin|Grand Est|67000 Strasbourg|67690 Hatten|67290 La Petite-Pierre
        68|Haut-Rhin|Grand Est|68000 Colmar|68600 Heiteren|68840 Pulversheim
        69|Rhône|Auvergne-Rhône-Alpes|69001 Lyon|69540 Irigny|69610 Saint-Genis-l'Argentière
        70|Haute-Saône|Bourgogne-Franche-Comté|70000 Vesoul|70700 Cugney|70000 Noroy-le-Bourg
        71|Saône-et-Loire|Bourgogne-Franche-Comté|71000 Mâcon|71700 Farges-lès-Mâcon|71390 Saint-Boil
        72|Sarthe|Pays de la Loire|72000 Le Mans|72400 La Ferté-Bernard|72110 Rouperroux-le-Coquet
        73|Savoie|Auvergne-Rhône-Alpes|73000 Chambéry|73220 Épierre|73520 Saint-Béron
        74|Haute-Savoie|Auvergne-Rhône-Alpes|74000 Annecy|74140 Douvaine|74550 Perrignier
        75|Paris|Île-de-France|75001 Paris|75008 Paris 8e Arrondissement|75015 Paris 15e Arrondissement
        76|Seine-Maritime|Normandie|76000 Rouen|76400 Fécamp|76460 Pleine-Sève
        77|Seine-et-Marne|Île-de-France|77000 Melun|77133 Féricy|77480 Passy-sur-Seine
        78|Yvelines|Île-de-France|78000 Versailles|78410 Flins-sur-Seine|78640 Neauphle-le-Château
        79|Deux-Sèvres|Nouvelle-Aquitaine|79000 Niort|79390 La Ferrière-en-Parthenay|79700 Saint-Amand-sur-Sèvre
        80|Somme|Hauts-de-France|80000 Amiens|80740 Épehy|80540 Molliens-Dreuil
        81|Tarn|Occitanie|81000 Albi|81440 Jonquières|81120 Puygouzon
        82|Tarn-et-Garonne|Occitanie|82000 Montauban|82400 Gasques|82270 Montpezat-de-Quercy
        83|Var|Provence-Alpes-Côte d'Azur|83000 Toulon|83330 Évenos|83560 Rians
        84|Vaucluse|Provence-Alpes-Côte d'Azur|84000 Avignon|84240 Grambois|84220 Roussillon
        85|Vendée|Pays de la Loire|85000 La Roche-sur-Yon|85260 L'Herbergement|85110 Sainte-Cécile
        86|Vienne|Nouvelle-Aquitaine|86000 Poitiers|86300 Fleix|86220 Port-de-Piles
        87|Haute-Vienne|Nouvelle-Aquitaine|87000 Limoges|87250 Fromental|87310 Saint-Auvent
        88|Vosges|Grand Est|88000 Épinal|88600 Fontenay|88600 Les Poulières
        89|Yonne|Bourgogne-Franche-Comté|89000 Auxerre|89140 Évry|89700 Roffey
        90|Territoire de Belfort|Bourgogne-Franche-Comté|90000 Belfort|90400 Dorans|90500 Montbouton
        91|Essonne|Île-de-France|91000 Évry-Courcouronnes|91360 Épinay-sur-Orge|91550 Paray-Vieille-Poste
        92|Hauts-de-Seine|Île-de-France|92000 Nanterre|92400 Courbevoie|92200 Neuilly-sur-Seine
        93|Seine-Saint-Denis|Île-de-France|93000 Bobigny|93460 Gournay-sur-Marne|93310 Le Pré-Saint-Gervais
        94|Val-de-Marne|Île-de-France|94000 Créteil|94240 L'Haÿ-les-Roses|94150 Rungis
        95|Val-d'Oise|Île-de-France|95000 Pontoise|95300 Ennery|95690 Nesles-la-Vallée
        971|Guadeloupe|Guadeloupe|97100 Basse-Terre|97126 Deshaies|97117 Port-Louis
        972|Martinique|Martinique|97200 Fort-de-France|97232 Le Lamentin|97212 Saint-Joseph
        973|Guyane|Guyane|97300 Cayenne|97313 Saint-Georges|97314 Saül
        974|La Réunion|La Réunion|97400 Saint-Denis|97480 Saint-Joseph|97460 Saint-Paul
        976|Mayotte|Mayotte|97600 Mamoudzou|97620 Chirongui|97630 Mtsamboro
        """
}
