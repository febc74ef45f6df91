"""The words of problems: a title for each status, and a Chinese sentence for each code.

English sentences come from where the problem arises, since they tell figures; the Chinese ones tell the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

TITLES = {
    400: "Bad request", 401: "Not authenticated", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    406: "Not acceptable", 408: "Request timed out", 409: "Conflict", 413: "Too large", 415: "Unsupported media type",
    422: "Not valid", 429: "Too many requests", 500: "Internal error", 503: "Not available now", 504: "Not there in time",
}  # fmt: skip

CHINESE = {
    # of the API itself
    "not_authenticated": "缺少有效的 API 密钥或会员令牌。",
    "not_allowed": "此密钥或令牌无权执行该操作。",
    "not_found": "没有这样的资源。",
    "method_not_allowed": "该路径不支持此方法。",
    "body_invalid": "请求内容的某个字段类型不对、缺失或未知。",
    "json_invalid": "请求内容不是有效的 JSON。",
    "body_too_large": "请求内容过大。",
    "body_too_slow": "请求内容未在规定时间内传完。",
    "content_type": "请求内容必须是未压缩的 application/json。",
    "query_invalid": "查询参数无效。",
    "path_invalid": "路径中有空的或无法解码的部分。",
    "cursor_invalid": "分页游标无效或属于另一个查询。",
    "idempotency_key_invalid": "Idempotency-Key 必须为 1 到 255 个可见字符。",
    "rate_limited": "请求过于频繁，请稍后再试。",
    "busy": "服务器繁忙，请用同一个键重试。",
    "not_available": "所需的数据库暂时没有应答，请稍后重试。",
    "fold_behind": "读模型尚未处理到所要求的位置。",
    "position_unknown": "该位置超出日志末尾。",
    "webhook_invalid": "Webhook 的地址或事件种类无效。",
    "webhook_limit": "Webhook 数量已达上限。",
    "internal": "服务器内部错误；请凭请求编号查询。",
    "field_not_yours": "此身份不可填写该字段。",
    "instant_out_of_range": "店面只能填写一天以内的时间。",
    # of any command
    "command_unknown": "没有这样的命令。",
    "command_invalid": "某个字段的类型不对，或无法保存。",
    "reaction_only": "该命令由其他事实引起，不能直接请求。",
    "id_taken": "此请求编号已用于另一个请求；每个请求使用自己的编号，重试时内容不得改变。",
    "event_too_large": "要保存的内容超过 8 MiB。",
    "shopper_missing": "必须指明会员或会话。",
    "too_many_products": "列表中的商品超过 1000 个。",
    "currency_unknown": "本店不使用该货币。",
    # of members, products, reviews
    "member_unknown": "没有该会员。",
    "member_registered": "该会员已注册。",
    "member_closed": "该会员已注销。",
    "member_erased": "该会员已被抹除，其编号不再使用。",
    "email_taken": "该邮箱属于另一位会员。",
    "product_unknown": "没有该商品。",
    "product_retired": "该商品已下架。",
    "review_too_long": "评论超过 20,000 个字符。",
    # of carts and orders
    "cart_unknown": "没有该购物车。",
    "cart_exists": "该购物车已存在。",
    "cart_closed": "该购物车已结束。",
    "cart_empty": "该购物车是空的。",
    "item_unknown": "购物车中没有该商品。",
    "cart_anothers": "该购物车属于另一位顾客。",
    "order_anothers": "该订单属于另一位顾客。",
    "too_many_codes": "该购物车的优惠码已达上限。",
    "price_changed": "价格已变化，请确认新价格。",
    "cart_without_price": "购物车中有现在不能购买的商品。",
    "exchange_exists": "该退款或换货编号已被使用。",
    "exchange_worthless": "退回的商品不能抵付新商品，请退款。",
    "order_unknown": "没有该订单。",
    "order_exists": "该订单已存在。",
    "order_empty": "订单没有任何商品行。",
    "order_not_paid": "只有已付款的订单才能退款。",
    "order_refunded": "已退款的订单不能取消。",
    "nothing_left": "可退的数量或金额不足。",
    "line_unknown": "订单中没有该行。",
    "line_of_another_product": "该行是另一种商品。",
    "product_not_in_order": "订单中没有该商品。",
    "refund_too_high": "退款超过剩余的已付金额。",
    "total_negative": "折扣超过了价格。",
    # of campaigns and coupons
    "campaign_dates": "活动的结束早于开始。",
    "campaign_launched": "该活动已以其他条款发布。",
    "campaign_exhausted": "该活动的优惠券已用完。",
    "coupon_not_sent": "该优惠券没有发给此会员。",
    "coupon_too_early": "该优惠券尚未生效。",
    "coupon_too_late": "该优惠券已过期。",
    # of points, tiers and the policy
    "points_short": "可用积分不足。",
    "points_below_minimum": "低于单次使用的最低积分。",
    "points_not_a_multiple": "积分必须是规定数额的整数倍。",
    "points_over_cap": "超过单次使用的积分上限。",
    "redemption_not_allowed": "现行规则不允许兑换积分。",
    "transfer_not_allowed": "现行规则不允许转赠积分。",
    "pool_not_allowed": "现行规则不允许积分池。",
    "wallet_unknown": "没有该积分钱包。",
    "reward_unknown": "没有该奖品。",
    "redemption_unknown": "没有该次兑换。",
    "lot_unknown": "没有该批积分。",
    "lot_not_on_action": "该批积分不需要动作来激活。",
    "hold_exists": "该冻结编号已被使用。",
    "redemption_exists": "该兑换编号已被使用。",
    "hold_over": "该冻结已结束。",
    "nothing_lapsed": "该批积分没有过期。",
    "reinstatement_too_late": "恢复过期积分的期限已过。",
    "transfer_to_oneself": "不能把积分转给自己。",
    "transfer_cap": "超过每日转赠上限。",
    "reward_not_offered": "该奖品目前不提供给此会员。",
    "reward_limit": "此会员领取该奖品的次数已达上限。",
    "reward_exhausted": "该奖品已领完。",
    "pool_unknown": "没有该积分池。",
    "pool_full": "该积分池已满。",
    "pool_other": "该会员属于另一个积分池。",
    "pool_not_theirs": "这些积分不属于该会员的积分池。",
    "pool_within_pool": "积分池不能加入积分池。",
    "pool_is_member": "积分池的编号属于一位会员。",
    "tier_unknown": "没有该等级。",
    "override_unknown": "没有该等级调整。",
    "override_over": "等级调整的结束早于开始。",
    "policy_invalid": "规则文件有错误。",
    "policy_changed": "规则在此期间已被更改。",
    "effective_past": "生效时间不能早于发布时间。",
}


@lru_cache(maxsize=1000)
def language_of(accept: str) -> str:
    """Return the language of an answer, ``zh`` or ``en``, by the header Accept-Language.

    >>> language_of("zh-CN,zh;q=0.9,en;q=0.8"), language_of("en"), language_of("fr"), language_of("en;q=0.1, zh;q=0.5")
    ('zh', 'en', 'en', 'zh')
    """
    best, weight = "en", 0.0
    for part in accept.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighs = float(quality) if quality else 1.0
        except ValueError:
            continue
        primary = tag.lower().partition("-")[0]
        if primary in ("zh", "en") and weighs > weight:
            best, weight = primary, weighs
    return best


def missing_codes(codes: Sequence[str]) -> list[str]:
    """Return the codes that have no Chinese sentence."""
    return [code for code in codes if code not in CHINESE]
