"""What is done while the server over which hosts share their caps cannot be asked."""

MESSAGES = {
    "leases.divide": "无法连接并发名额服务器：{hosts} 台主机各按自己的份额使用并发上限。",
    "leases.closed": "无法连接并发名额服务器：恢复之前不放行任何请求。",
    "leases.open": "无法连接并发名额服务器：本机仅统计自己的并发。",
}
