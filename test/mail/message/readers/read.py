"""Reads messages (base64, one a line) as Python's email package does; answers JSON, one line each."""
import base64, email, email.policy, json, re, sys

CONTROL = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029]')
for line in sys.stdin:
    try:
        message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
        headers = [(name.lower(), value) for name, value in message.items()]
        addresses = {name: [one.addr_spec for one in value.addresses] for name, value in headers if hasattr(value, 'addresses')}
        control = [name for name, value in headers if CONTROL.search(str(value))]
        for part in message.walk():
            for name, value in part.items():
                if CONTROL.search(str(value)) or CONTROL.search(part.get_filename() or ''):
                    control.append(name)
        print(json.dumps({'addresses': addresses, 'control': control, 'names': [name for name, _ in headers]}))
    except Exception as error:
        print(json.dumps({'error': repr(error)}))
