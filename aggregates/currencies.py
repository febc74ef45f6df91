"""Currencies of ISO 4217 and how many decimal digits each has."""

from __future__ import annotations


def codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


OTHER_DIGITS = {
    **dict.fromkeys(codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"), 0),
    **dict.fromkeys(codes("BHD IQD JOD KWD LYD OMR TND"), 3),
    **dict.fromkeys(codes("CLF UYW"), 4),
}
"""Currencies that do not have two decimal digits."""

IN_USE = codes(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF
    CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS
    VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """
)

WITHDRAWN = codes("ANG BGN CUC HRK SLL ZWL")
"""Withdrawn since 2020: a shop's history may still be counted in them. All have two digits."""


def digits(currency: str) -> int:
    """Return the number of decimal digits of a currency. Raises :class:`Refusal` for a code that ISO 4217 does not have.

    >>> digits("EUR"), digits("JPY"), digits("KWD"), digits("CLF")
    (2, 0, 3, 4)
    """
    from aggregates.decider import Refusal  # here, since deciders know the programme, which needs this table

    if currency not in IN_USE and currency not in WITHDRAWN:
        raise Refusal("currency_unknown", f"{str(currency)[:20]!r} is not a currency code of ISO 4217, such as EUR.")
    return OTHER_DIGITS.get(currency, 2)
