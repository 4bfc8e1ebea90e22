def client_storm(requests, seed):
    return []
