"""The departments of France by number, each with the region that it lies in."""

REGIONS = {
    "ARA": "Auvergne-Rhône-Alpes",
    "BFC": "Bourgogne-Franche-Comté",
    "BRE": "Bretagne",
    "CVL": "Centre-Val de Loire",
    "COR": "Corse",
    "GES": "Grand Est",
    "HDF": "Hauts-de-France",
    "IDF": "Île-de-France",
    "NOR": "Normandie",
    "NAQ": "Nouvelle-Aquitaine",
    "OCC": "Occitanie",
    "PDL": "Pays de la Loire",
    "PAC": "Provence-Alpes-Côte d’Azur",
    "971": "Guadeloupe",
    "972": "Martinique",
    "973": "Guyane",
    "974": "La Réunion",
    "975": "Saint-Pierre-et-Miquelon",
    "976": "Mayotte",
    "977": "Saint-Barthélemy",
    "978": "Saint-Martin",
    "980": "Monaco",
    "986": "Wallis-et-Futuna",
    "987": "Polynésie française",
    "988": "Nouvelle-Calédonie",
}
_NAMES = """
01 ARA Ain|02 HDF Aisne|03 ARA Allier|04 PAC Alpes-de-Haute-Provence|05 PAC Hautes-Alpes|06 PAC Alpes-Maritimes
07 ARA Ardèche|08 GES Ardennes|09 OCC Ariège|10 GES Aube|11 OCC Aude|12 OCC Aveyron|13 PAC Bouches-du-Rhône
14 NOR Calvados|15 ARA Cantal|16 NAQ Charente|17 NAQ Charente-Maritime|18 CVL Cher|19 NAQ Corrèze
2A COR Corse-du-Sud|2B COR Haute-Corse|21 BFC Côte-d’Or|22 BRE Côtes-d’Armor|23 NAQ Creuse|24 NAQ Dordogne
25 BFC Doubs|26 ARA Drôme|27 NOR Eure|28 CVL Eure-et-Loir|29 BRE Finistère|30 OCC Gard|31 OCC Haute-Garonne
32 OCC Gers|33 NAQ Gironde|34 OCC Hérault|35 BRE Ille-et-Vilaine|36 CVL Indre|37 CVL Indre-et-Loire|38 ARA Isère
39 BFC Jura|40 NAQ Landes|41 CVL Loir-et-Cher|42 ARA Loire|43 ARA Haute-Loire|44 PDL Loire-Atlantique|45 CVL Loiret
46 OCC Lot|47 NAQ Lot-et-Garonne|48 OCC Lozère|49 PDL Maine-et-Loire|50 NOR Manche|51 GES Marne|52 GES Haute-Marne
53 PDL Mayenne|54 GES Meurthe-et-Moselle|55 GES Meuse|56 BRE Morbihan|57 GES Moselle|58 BFC Nièvre|59 HDF Nord
60 HDF Oise|61 NOR Orne|62 HDF Pas-de-Calais|63 ARA Puy-de-Dôme|64 NAQ Pyrénées-Atlantiques|65 OCC Hautes-Pyrénées
66 OCC Pyrénées-Orientales|67 GES Bas-Rhin|68 GES Haut-Rhin|69 ARA Rhône|70 BFC Haute-Saône|71 BFC Saône-et-Loire
72 PDL Sarthe|73 ARA Savoie|74 ARA Haute-Savoie|75 IDF Paris|76 NOR Seine-Maritime|77 IDF Seine-et-Marne
78 IDF Yvelines|79 NAQ Deux-Sèvres|80 HDF Somme|81 OCC Tarn|82 OCC Tarn-et-Garonne|83 PAC Var|84 PAC Vaucluse
85 PDL Vendée|86 NAQ Vienne|87 NAQ Haute-Vienne|88 GES Vosges|89 BFC Yonne|90 BFC Territoire de Belfort
91 IDF Essonne|92 IDF Hauts-de-Seine|93 IDF Seine-Saint-Denis|94 IDF Val-de-Marne|95 IDF Val-d’Oise
"""
# Number: name, and the code of its region. Those overseas are their own.
DEPARTMENTS: dict[str, tuple[str, str]] = {
    number: (name, region)
    for number, region, name in (
        entry.split(" ", 2) for line in _NAMES.split("\n") for entry in line.split("|") if entry
    )
} | {number: (name, number) for number, name in REGIONS.items() if number.isdigit()}
