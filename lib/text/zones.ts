/**
 * Names of time zones by the number that the server gives them, which is the `tzindex` of a datetime. Each name has
 * the number after the previous one's, or the number before the name.
 *
 * Source: `src/lib/tzcode/timezones.h` of the server, as 2.11 and 3.9 have it.
 */
const NAMES = `
A B C D E F G H I K L M N O P Q R S T U V W X Y Z 32=AT 40=BT 48=CT 56=ET 64=GT 72=IT 80=KT 88=MT
96=PT 104=ST 112=UT 120=WT 128=ACT ADT AET AFT AMT AoE ART AST AZT 144=BDT BNT BOT BRT BST BTT
152=CAT CCT CDT CET CIT CKT CLT COT CST CVT CXT 168=EAT ECT EDT EET EGT EST 176=FET FJT FKT FNT
184=GET GFT GMT GST GYT 192=HAA HAC HAE HAP HAR HAT HDT HKT HLV HNA HNC HNE HNP HNR HNT HST ICT
IDT IOT IST 216=JST 224=KGT KIT KST 232=MCK MDT MEZ MHT MMT MSD MSK MST MUT MVT MYT 248=NCT NDT
NFT NPT NRT NST NUT 256=OEZ 264=PDT PET PGT PHT PKT PST PWT PYT RET 280=SBT SCT SGT SRT SST
288=TFT TJT TKT TLT TMT TOT TRT TVT UTC UYT UZT 304=VET VUT 312=WAT WDT WET WEZ WFT WGT WIB WIT
WST 328=ACDT ACST ADST AEDT AEST AKDT AKST ALMT AMDT AMST ANAT AQTT AWDT AWST AZOT AZST BDST BRST
352=CAST CDST CEDT CEST CHOT ChST CHUT CIST CLDT CLST 368=DAVT DDUT 376=EADT EAST ECST EDST EEDT
EEST EGST 384=FJDT FJST FKDT FKST 392=GALT GAMT GILT 400=HADT HAST HOVT 408=IRDT IRKT IRST
416=KOST KRAT KUYT 424=LHDT LHST LINT 432=MAGT MART MAWT MDST MESZ 440=NFDT NOVT NZDT NZST
448=OESZ OMST ORAT 456=PDST PETT PHOT PMDT PMST PONT PYST 464=QYZT 472=ROTT 480=SAKT SAMT SAST
SRET SYOT 488=TAHT TOST 496=ULAT UYST 504=VLAT VOST 512=WAKT WAST WEDT WEST WESZ WGST WITA
520=YAKT YAPT YEKT 528=ACWST ANAST AZODT AZOST 536=CHADT CHAST CHODT CHOST CIDST 544=EASST EFATE
552=HOVDT HOVST 560=IRKST 568=KRAST 576=MAGST 584=NACDT NACST NAEDT NAEST NAMDT NAMST NAPDT NAPST
NOVST 600=OMSST 608=PETST 616=SAMST 624=ULAST 632=VLAST 640=WARST 648=YAKST YEKST 656=CHODST
664=HOVDST 672=Africa/Abidjan Africa/Algiers Africa/Bissau Africa/Cairo Africa/Casablanca
Africa/Ceuta Africa/El_Aaiun Africa/Johannesburg Africa/Juba Africa/Khartoum Africa/Lagos
Africa/Maputo Africa/Monrovia Africa/Nairobi Africa/Ndjamena Africa/Sao_Tome Africa/Tripoli
Africa/Tunis Africa/Windhoek America/Adak America/Anchorage America/Araguaina
America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/Cordoba
America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza
America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan
America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia America/Asuncion
America/Bahia America/Bahia_Banderas America/Barbados America/Belem America/Belize
America/Boa_Vista America/Bogota America/Boise America/Cambridge_Bay America/Campo_Grande
America/Cancun America/Caracas America/Cayenne America/Chicago America/Chihuahua
America/Costa_Rica America/Cuiaba America/Danmarkshavn America/Dawson America/Dawson_Creek
America/Denver America/Detroit America/Edmonton America/Eirunepe America/El_Salvador
America/Fort_Nelson America/Fortaleza America/Glace_Bay America/Goose_Bay America/Grand_Turk
America/Guatemala America/Guayaquil America/Guyana America/Halifax America/Havana
America/Hermosillo America/Indiana/Indianapolis America/Indiana/Knox America/Indiana/Marengo
America/Indiana/Petersburg America/Indiana/Tell_City America/Indiana/Vevay
America/Indiana/Vincennes America/Indiana/Winamac America/Inuvik America/Iqaluit America/Jamaica
America/Juneau America/Kentucky/Louisville America/Kentucky/Monticello America/La_Paz America/Lima
America/Los_Angeles America/Maceio America/Managua America/Manaus America/Martinique
America/Matamoros America/Mazatlan America/Menominee America/Merida America/Metlakatla
America/Mexico_City America/Miquelon America/Moncton America/Monterrey America/Montevideo
America/New_York America/Nipigon America/Nome America/Noronha America/North_Dakota/Beulah
America/North_Dakota/Center America/North_Dakota/New_Salem America/Nuuk America/Ojinaga
America/Panama America/Pangnirtung America/Paramaribo America/Phoenix America/Port-au-Prince
America/Porto_Velho America/Puerto_Rico America/Punta_Arenas America/Rainy_River
America/Rankin_Inlet America/Recife America/Regina America/Resolute America/Rio_Branco
America/Santarem America/Santiago America/Santo_Domingo America/Sao_Paulo America/Scoresbysund
America/Sitka America/St_Johns America/Swift_Current America/Tegucigalpa America/Thule
America/Thunder_Bay America/Tijuana America/Toronto America/Vancouver America/Whitehorse
America/Winnipeg America/Yakutat America/Yellowknife Antarctica/Casey Antarctica/Davis
Antarctica/Macquarie Antarctica/Mawson Antarctica/Palmer Antarctica/Rothera Antarctica/Troll
Antarctica/Vostok Asia/Almaty Asia/Amman Asia/Anadyr Asia/Aqtau Asia/Aqtobe Asia/Ashgabat
Asia/Atyrau Asia/Baghdad Asia/Baku Asia/Bangkok Asia/Barnaul Asia/Beirut Asia/Bishkek Asia/Brunei
Asia/Chita Asia/Choibalsan Asia/Colombo Asia/Damascus Asia/Dhaka Asia/Dili Asia/Dubai
Asia/Dushanbe Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Ho_Chi_Minh Asia/Hong_Kong Asia/Hovd
Asia/Irkutsk Asia/Jakarta Asia/Jayapura Asia/Jerusalem Asia/Kabul Asia/Kamchatka Asia/Karachi
Asia/Kathmandu Asia/Khandyga Asia/Kolkata Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Kuching
Asia/Macau Asia/Magadan Asia/Makassar Asia/Manila Asia/Nicosia Asia/Novokuznetsk Asia/Novosibirsk
Asia/Omsk Asia/Oral Asia/Pontianak Asia/Pyongyang Asia/Qatar Asia/Qostanay Asia/Qyzylorda
Asia/Riyadh Asia/Sakhalin Asia/Samarkand Asia/Seoul Asia/Shanghai Asia/Singapore
Asia/Srednekolymsk Asia/Taipei Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Thimphu Asia/Tokyo
Asia/Tomsk Asia/Ulaanbaatar Asia/Urumqi Asia/Ust-Nera Asia/Vladivostok Asia/Yakutsk Asia/Yangon
Asia/Yekaterinburg Asia/Yerevan Atlantic/Azores Atlantic/Bermuda Atlantic/Canary
Atlantic/Cape_Verde Atlantic/Faroe Atlantic/Madeira Atlantic/Reykjavik Atlantic/South_Georgia
Atlantic/Stanley Australia/Adelaide Australia/Brisbane Australia/Broken_Hill Australia/Darwin
Australia/Eucla Australia/Hobart Australia/Lindeman Australia/Lord_Howe Australia/Melbourne
Australia/Perth Australia/Sydney Etc/GMT Etc/UTC Europe/Amsterdam Europe/Andorra Europe/Astrakhan
Europe/Athens Europe/Belgrade Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest
Europe/Chisinau Europe/Copenhagen Europe/Dublin Europe/Gibraltar Europe/Helsinki Europe/Istanbul
Europe/Kaliningrad Europe/Kiev Europe/Kirov Europe/Lisbon Europe/London Europe/Luxembourg
Europe/Madrid Europe/Malta Europe/Minsk Europe/Monaco Europe/Moscow Europe/Oslo Europe/Paris
Europe/Prague Europe/Riga Europe/Rome Europe/Samara Europe/Saratov Europe/Simferopol Europe/Sofia
Europe/Stockholm Europe/Tallinn Europe/Tirane Europe/Ulyanovsk Europe/Uzhgorod Europe/Vienna
Europe/Vilnius Europe/Volgograd Europe/Warsaw Europe/Zaporozhye Europe/Zurich Indian/Chagos
Indian/Christmas Indian/Cocos Indian/Kerguelen Indian/Mahe Indian/Maldives Indian/Mauritius
Indian/Reunion Pacific/Apia Pacific/Auckland Pacific/Bougainville Pacific/Chatham Pacific/Chuuk
Pacific/Easter Pacific/Efate Pacific/Fakaofo Pacific/Fiji Pacific/Funafuti Pacific/Galapagos
Pacific/Gambier Pacific/Guadalcanal Pacific/Guam Pacific/Honolulu Pacific/Kanton
Pacific/Kiritimati Pacific/Kosrae Pacific/Kwajalein Pacific/Majuro Pacific/Marquesas Pacific/Nauru
Pacific/Niue Pacific/Norfolk Pacific/Noumea Pacific/Pago_Pago Pacific/Palau Pacific/Pitcairn
Pacific/Pohnpei Pacific/Port_Moresby Pacific/Rarotonga Pacific/Tahiti Pacific/Tarawa
Pacific/Tongatapu Pacific/Wake Pacific/Wallis`;

let names: ReadonlyMap<number, string> | undefined;

function read(): ReadonlyMap<number, string> {
  let number = 0;
  const pairs = NAMES.trim()
    .split(/\s+/)
    .map((entry): [number, string] => {
      const [, given, name = ''] = /^(?:(\d+)=)?(.*)$/.exec(entry) ?? [];
      number = given === undefined ? number + 1 : Number(given);
      return [number, name];
    });
  return new Map(pairs);
}

/**
 * Returns the name of a time zone, or its number if no known server has a name for it.
 *
 * @example
 * zoneName(947); // 'Europe/Moscow'
 */
export function zoneName(tzIndex: number): string {
  names ??= read();
  return names.get(tzIndex) ?? String(tzIndex);
}
