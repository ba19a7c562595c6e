import hashlib, hmac, secrets, json, time
key = secrets.token_bytes(32)
claims = {"id": secrets.token_urlsafe(12), "iat": int(time.time())}
text = json.dumps(claims, sort_keys=True).encode()
print(text, hmac.new(key, text, "sha256").hexdigest(), secrets.choice("abcdef"), secrets.randbelow(9))
