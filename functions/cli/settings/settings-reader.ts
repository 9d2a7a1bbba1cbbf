/**
 * A Python program that reads a Django settings file with Python's own parser and never runs a line of it. It takes the
 * path of the file, and variables as JSON on standard input, and prints one JSON document: `{"names": {NAME: VALUE}, "lines": {NAME: N},
 * "unread": [MODULE], "maybe": [LINE], "error": "line N: …" | null}`. VALUE is `{"v": literal}`, `{"env": NAME, "default": VALUE | null, "cast": CAST}`,
 * `{"tuple": VALUE}` for a stray comma, `{"dict": {…}}`, `{"url": VALUE}` for an email URL, or `{"unknown": REASON}`.
 * Works from Python 3.8 on.
 */
export const SETTINGS_READER = `
import ast, glob, json, os, sys

ENV = json.loads(sys.stdin.read() or "{}")  # variables, for conditions alone

def unknown(reason): return {"unknown": reason}
ENV_CALLS = {"environ.get", "getenv", "env", "config", "environ.setdefault", "env.get", "env.str", "env.bool", "env.int",
             "env.list", "env.url", "env.json", "Env", "decouple.config", "values.Value", "get_env", "get_env_variable"}
TO_BOOL = {"strtobool", "str2bool", "str_to_bool", "to_bool", "as_bool", "asbool", "parse_bool", "string_to_bool"}
URL_CALLS = {"env.email_url", "env.email", "dj_email_url.config", "dj_email_url.parse", "environ.Env.email_url_config",
             "Env.email_url_config", "env.dj_email_url", "values.EmailURLValue"}

def dotted(node):
    if isinstance(node, ast.Name): return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before + "." + node.attr if before else node.attr
    return ""

def short(name): return name[3:] if name.startswith("os.") else name

class Reader:
    def __init__(self):
        self.names, self.lines, self.unread, self.seen = {}, {}, [], set()
        self.maybe = []  # lines that may set names in a way that is not read
        self.alias, self.schemes, self.presets = {}, {}, {}  # other names of calls; defaults of Env(...); os.environ.setdefault

    def known(self, node):
        head, dot, rest = dotted(node).partition(".")
        return short(self.alias.get(head, head) + dot + rest)

    def variable(self, name, default, cast, required):
        kind, usual = self.schemes.get(name, (None, None))
        return {"env": name, "default": default if default is not None else self.presets.get(name, usual), "cast": cast or kind, "required": required}

    def literals(self, nodes):
        values = [self.value(one) for one in nodes]
        return [one["v"] for one in values] if all("v" in one for one in values) else None

    def value(self, node):
        if isinstance(node, ast.Constant):
            held = node.value
            return {"v": held.decode("latin-1") if isinstance(held, bytes) else held if isinstance(held, (str, int, float, bool, type(None))) else None}
        if isinstance(node, ast.Name): return self.names.get(node.id, unknown("it is the value of " + node.id))
        if isinstance(node, ast.Tuple) and len(node.elts) == 1: return {"tuple": self.value(node.elts[0])}
        if isinstance(node, ast.Dict): return self.dictionary(node)
        if isinstance(node, (ast.List, ast.Tuple)): return {"list": [self.value(one) for one in node.elts]}
        if isinstance(node, ast.Attribute):
            held = self.value(node.value)
            if "dict" in held: return held["dict"].get(node.attr, unknown("it is computed"))
            if "url" in held and "part" not in held: return dict(held, part=node.attr)
            return unknown("it is computed")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            left, right = self.value(node.left), self.value(node.right)
            return {"dict": dict(left["dict"], **right["dict"])} if "dict" in left and "dict" in right else unknown("it is computed")
        if isinstance(node, ast.JoinedStr):
            parts = [self.value(one.value if isinstance(one, ast.FormattedValue) else one) for one in node.values]
            return {"v": "".join(str(one["v"]) for one in parts)} if all("v" in one for one in parts) else unknown("it is put together from parts")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.value(node.left), self.value(node.right)
            return {"v": left["v"] + right["v"]} if isinstance(left.get("v"), str) and isinstance(right.get("v"), str) else unknown("it is put together from parts")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            left, right = self.value(node.left), self.literals(node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])
            if isinstance(left.get("v"), str) and right is not None:
                try: return {"v": left["v"] % tuple(right)}
                except (TypeError, ValueError): pass
            return unknown("it is put together from parts")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.value(node.operand)
            return {"v": not inner["v"]} if "v" in inner else unknown("it is computed")
        if isinstance(node, ast.BoolOp): return self.either(node)
        if isinstance(node, ast.IfExp):
            test = self.value(node.test)
            return self.value(node.body if test["v"] else node.orelse) if "v" in test else unknown("it depends on a condition")
        if isinstance(node, ast.Compare) and len(node.ops) == 1: return self.compared(node)
        if isinstance(node, ast.Subscript): return self.item(node)
        if isinstance(node, ast.Call): return self.call(node)
        return unknown("it is computed")

    def dictionary(self, node):
        made = {}
        for key, one in zip(node.keys, node.values):
            if key is None: made.update(self.value(one).get("dict", {}))
            elif isinstance(key, ast.Constant) and isinstance(key.value, str): made[key.value] = self.value(one)
        return {"dict": made}

    def either(self, node):
        values = [self.value(one) for one in node.values]
        if isinstance(node.op, ast.Or):
            first = values[0]
            if "env" in first and first.get("default") is None and len(values) > 1: return dict(first, default=values[1], empty=True)
            for one in values:
                if "v" not in one: return unknown("it is computed")
                if one["v"]: return one
            return values[-1]
        for one in values:
            if "v" not in one: return unknown("it is computed")
            if not one["v"]: return one
        return values[-1]

    def compared(self, node):
        left, right, op = self.value(node.left), node.comparators[0], node.ops[0]
        if isinstance(op, ast.Eq) and "env" in left:
            other = self.value(right)
            if "v" in other: return dict(left, cast={"in": [other["v"]], "lower": left.get("lower", False)})
        if isinstance(op, ast.In) and "env" in left and isinstance(right, (ast.Tuple, ast.List, ast.Set)):
            return dict(left, cast={"in": [self.value(one).get("v") for one in right.elts], "lower": left.get("lower", False)})
        if "v" in left and isinstance(op, (ast.Eq, ast.NotEq)):
            other = self.value(right)
            if "v" in other: return {"v": (left["v"] == other["v"]) == isinstance(op, ast.Eq)}
        return unknown("it is computed")

    def item(self, node):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else getattr(getattr(node.slice, "value", None), "value", None)
        name = self.known(node.value)
        if name in ("environ", "env", "config") and isinstance(key, str): return self.variable(key, None, None, True)
        held = self.value(node.value)
        if isinstance(node.slice, ast.UnaryOp) and isinstance(node.slice.operand, ast.Constant): key = -node.slice.operand.value
        if "list" in held and isinstance(key, int) and -len(held["list"]) <= key < len(held["list"]): return held["list"][key]
        if "dict" in held and isinstance(key, str): return held["dict"].get(key, unknown("the key " + key + " is not there"))
        if "url" in held and isinstance(key, str): return dict(held, part=key)
        return unknown("it is computed")

    def call(self, node):
        name = self.known(node.func)
        word = {one.arg: one.value for one in node.keywords if one.arg}
        first = self.value(node.args[0]) if node.args else None
        if name in URL_CALLS:
            default = self.value(word["default"]) if "default" in word else self.value(node.args[1]) if len(node.args) > 1 else None
            if name.endswith(("parse", "email_url_config")): return {"url": first or unknown("no argument")}
            if name.endswith("EmailURLValue"): return {"url": {"env": "EMAIL_URL", "default": first}}
            variable = first["v"] if first and isinstance(first.get("v"), str) else "EMAIL_URL"
            return {"url": {"env": variable, "default": default}}
        if name in ENV_CALLS and first is not None and isinstance(first.get("v"), str):
            default = word.get("default") or (node.args[1] if len(node.args) > 1 and name not in ("env.str",) else None)
            cast = dotted(word["cast"]) if "cast" in word else name.split(".")[-1] if name in ("env.bool", "env.int", "env.str") else None
            required = name in ("config", "decouple.config", "env", "env.str", "env.bool", "env.int", "get_env_variable")
            return self.variable(first["v"], self.value(default) if default is not None else None, cast if cast in ("bool", "int", "str") else None, required)
        if name.split(".")[-1] in ("urlparse", "urlsplit", "parse_url") and first is not None: return {"url": first}
        if name.split(".")[-1] in TO_BOOL and first is not None:
            if "env" in first: return dict(first, cast="bool")
            if isinstance(first.get("v"), (str, int, bool)): return {"v": str(first["v"]).lower() in ("1", "true", "yes", "on", "y", "t")}
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and first is not None and isinstance(first.get("v"), str):
            held = self.value(node.func.value)
            if "dict" in held: return held["dict"].get(first["v"], self.value(node.args[1]) if len(node.args) > 1 else {"v": None})
        if name == "dict": return {"dict": {key: self.value(one) for key, one in word.items()}}
        if name in ("int", "str", "bool", "float") and first is not None:
            if "env" in first and not first.get("cast"): return dict(first, cast="py" + name)
            if "v" in first:
                try: return {"v": {"int": int, "str": str, "bool": bool, "float": float}[name](first["v"])}
                except (TypeError, ValueError): return unknown("it cannot be converted")
            return first
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("strip", "lower", "upper", "rstrip", "lstrip") and not node.args:
            held = self.value(node.func.value)
            if "env" in held: return dict(held, lower=held.get("lower", False) or node.func.attr == "lower", strip=held.get("strip", False) or "strip" in node.func.attr)
            if isinstance(held.get("v"), str): return {"v": getattr(held["v"], node.func.attr)()}
        made = self.text_call(node) if isinstance(node.func, ast.Attribute) and not node.keywords else None
        return made or unknown("it is computed by " + (name or "a call"))

    def text_call(self, node):
        held, way = self.value(node.func.value).get("v"), node.func.attr
        if not isinstance(held, str) or way not in ("format", "join", "replace", "split", "rsplit", "removeprefix", "removesuffix"): return None
        listed = way == "join" and len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple))
        values = self.literals(node.args[0].elts if listed else node.args)
        if values is None or (way == "join" and not listed): return None
        # A format can reach into objects; of plain values it has none to reach into.
        try: made = held.join(values) if listed else getattr(held, way)(*values)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError): return None
        return {"list": [{"v": one} for one in made]} if isinstance(made, list) else {"v": made}

    def put(self, name, value, line):
        self.names[name] = value
        self.lines[name] = line

    def merge(self, value, line):
        if "dict" in value:
            for name, one in value["dict"].items(): self.put(name, one, line)
        elif "url" in value: self.put("EMAIL_URL_SETTINGS", value, line)
        else: self.unread.append("line %d" % line)

    def assign(self, target, node, line):
        if isinstance(target, ast.Name):
            if isinstance(node, ast.Call) and self.known(node.func).split(".")[-1] in ("Env", "FileAwareEnv"): self.environ(target.id, node)
            if isinstance(node, ast.Call) and self.known(node.func).split(".")[-1] in ("Config", "AutoConfig") and node.func is not None and self.known(node.func).split(".")[0] in ("decouple", "Config", "AutoConfig"):
                self.alias[target.id] = "config"
            if isinstance(node, ast.Call) and self.known(node.func).split(".")[-1] == "dotenv_values": self.alias[target.id] = "environ"
            if isinstance(node, ast.Dict) and node.keys and all(key is None for key in node.keys) and any("environ" in ast.dump(one) or "dotenv_values" in ast.dump(one) for one in node.values):
                self.alias[target.id] = "environ"
            self.put(target.id, self.value(node), line)
        elif isinstance(target, ast.Tuple) and isinstance(node, ast.Tuple) and len(target.elts) == len(node.elts):
            for one, other in zip(target.elts, node.elts): self.assign(one, other, line)
        elif isinstance(target, ast.Tuple) and len(self.value(node).get("list", [])) == len(target.elts):
            for one, held in zip(target.elts, self.value(node)["list"]):
                if isinstance(one, ast.Name): self.put(one.id, held, line)
        elif isinstance(target, ast.Tuple):
            for one in target.elts:
                if isinstance(one, ast.Name): self.put(one.id, unknown("it is computed"), line)
        elif isinstance(target, ast.Subscript):
            key = target.slice.value if isinstance(target.slice, ast.Constant) else None
            if isinstance(target.value, ast.Call) and dotted(target.value.func) in ("globals", "locals", "vars") and isinstance(key, str):
                self.put(key, self.value(node), line)
            elif isinstance(target.value, ast.Name) and isinstance(key, str) and "dict" in self.names.get(target.value.id, {}):
                self.names[target.value.id]["dict"][key] = self.value(node)

    def environ(self, name, call):
        self.alias[name] = "env"
        for one in call.keywords:
            if one.arg and isinstance(one.value, ast.Tuple) and len(one.value.elts) == 2:
                cast = dotted(one.value.elts[0])
                self.schemes[one.arg] = (cast if cast in ("bool", "int", "str") else None, self.value(one.value.elts[1]))

    def branch(self, statements):
        before, lines = dict(self.names), dict(self.lines)
        self.body(statements)
        after, after_lines = self.names, self.lines
        self.names, self.lines = before, lines
        return after, after_lines

    def matched(self, node):
        before = [self.branch(case.body) for case in node.cases]
        for name in {name for names, _ in before for name in names}:
            values = [names.get(name) for names, _ in before]
            if any(one != values[0] for one in values) or name not in self.names:
                self.put(name, unknown("it depends on the match on line %d" % node.lineno), node.lineno)

    def truth(self, test):
        if "v" in test: return bool(test["v"])
        text = ENV.get(test.get("env", ""))
        if text is None: return None
        cast = test.get("cast")
        if isinstance(cast, dict): return (text.lower() if cast.get("lower") or test.get("lower") else text) in cast["in"]
        return text.lower() in ("1", "true", "yes", "on", "y", "t") if cast == "bool" else text not in ("", "0") if cast in ("int", "pyint") else text != ""

    def looped(self, node):
        # for key, value in SETTINGS.items(): globals()[key] = value
        source = node.iter
        held = self.value(source.func.value) if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr == "items" else {}
        text = ast.dump(node)
        if not ("globals" in text or "locals" in text or "vars" in text or "setattr" in text): return
        if "dict" in held and len(node.body) == 1: self.merge(held, node.lineno)
        else: self.maybe.append(node.lineno)

    def condition(self, node):
        test = self.value(node.test)
        truth = self.truth(test)
        if truth is not None: return self.body(node.body if truth else node.orelse)
        # What reads DEBUG is read as production does.
        mentioned = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)} | {one.attr for one in ast.walk(node.test) if isinstance(one, ast.Attribute)}
        if mentioned and mentioned <= {"DEBUG", "settings"}:
            return self.body(node.body if isinstance(node.test, ast.UnaryOp) else node.orelse)
        yes, yes_lines = self.branch(node.body)
        no, no_lines = self.branch(node.orelse)
        for name in set(yes) | set(no):
            same = yes.get(name) == no.get(name)
            self.put(name, yes[name] if same else unknown("it depends on the condition on line %d" % node.lineno), yes_lines.get(name) or no_lines.get(name) or node.lineno)

    def body(self, statements):
        for one in statements: self.statement(one)

    def statement(self, node):
        if isinstance(node, ast.Assign):
            for target in node.targets: self.assign(target, node.value, node.lineno)
        elif isinstance(node, ast.AnnAssign) and node.value is not None: self.assign(node.target, node.value, node.lineno)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name): self.put(node.target.id, unknown("it is computed"), node.lineno)
        elif isinstance(node, ast.If): self.condition(node)
        elif hasattr(ast, "Match") and isinstance(node, ast.Match): self.matched(node)
        elif isinstance(node, ast.Try):
            before = len(self.unread)
            self.body(node.body)
            for handler in node.handlers:  # what it sets is the default of what is read from the environment
                held, lines = self.branch(handler.body)
                for name, value in held.items():
                    was = self.names.get(name)
                    if was is None: self.put(name, value, lines.get(name, node.lineno))
                    elif was != value and "env" in was and was.get("default") is None: self.names[name] = dict(was, default=value)
            if node.handlers: del self.unread[before:]  # a module that is not there is what the handler is for
            self.body(node.orelse); self.body(node.finalbody)
        elif isinstance(node, ast.With): self.body(node.body)
        elif isinstance(node, (ast.For, ast.While)): self.looped(node) if isinstance(node, ast.For) else self.maybe.append(node.lineno)
        elif isinstance(node, ast.Import): self.modules(node)
        elif isinstance(node, ast.ClassDef):
            after, lines = self.branch(node.body)
            self.names[node.name] = {"dict": {name: value for name, value in after.items() if name not in self.names or self.names[name] is not value}}
            for name, value in after.items():
                if name.startswith(("EMAIL", "MAILERS")) and name not in self.names: self.put(name, value, lines.get(name, node.lineno))
        elif isinstance(node, ast.ImportFrom): self.imported(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call): self.called(node.value, node.lineno)

    def called(self, call, line):
        name = self.known(call.func)
        if name == "environ.setdefault" and len(call.args) == 2:
            key = self.value(call.args[0]).get("v")
            if isinstance(key, str): self.presets[key] = self.value(call.args[1])
        inner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(call.func, ast.Attribute) and call.func.attr == "update" and isinstance(inner, ast.Call) and dotted(inner.func) in ("globals", "locals", "vars"):
            for one in call.args: self.merge(self.value(one), line)
            self.merge({"dict": {key.arg: self.value(key.value) for key in call.keywords if key.arg}}, line)
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "update" and isinstance(inner, ast.Name) and "dict" in self.names.get(inner.id, {}):
            for one in call.args:
                held = self.value(one)
                if "dict" in held: self.names[inner.id]["dict"].update(held["dict"])
        elif name in ("exec", "setattr") or any(isinstance(one, ast.Call) and dotted(one.func) in ("globals", "locals", "vars") for one in call.args): self.maybe.append(line)
        elif name in ("include", "split_settings.tools.include"):
            for one in call.args:
                pattern = one.args[0] if isinstance(one, ast.Call) and one.args else one
                if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str):
                    for path in sorted(glob.glob(os.path.join(self.folder, pattern.value))): self.file(path)

    def imported(self, node):
        if node.module in ("os", "decouple", "environ") and not node.level:
            for one in node.names: self.alias[one.asname or one.name] = one.name
            return
        path = self.find(node)
        for one in node.names:
            inner = ast.ImportFrom(module=((node.module + ".") if node.module else "") + one.name, names=[], level=node.level)
            held = self.find(inner) if one.name != "*" else None
            if held is not None and (path is None or path.endswith("__init__.py")): self.module(one.asname or one.name, held)
        star = any(one.name == "*" for one in node.names)
        if path is None:
            if star: self.unread.append(("." * node.level) + (node.module or ""))
            return
        if star: return self.file(path)
        before = dict(self.names)
        self.file(path)
        after, self.names = self.names, before
        for one in node.names:
            if one.name in after and not (one.name in before and "dict" in before.get(one.asname or one.name, {})): self.names[one.asname or one.name] = after[one.name]

    def modules(self, node):
        for one in node.names:
            path = self.find(ast.ImportFrom(module=one.name, names=[], level=0))
            if path is not None and "." not in (one.asname or one.name): self.module(one.asname or one.name, path)

    def module(self, name, path):
        before, lines = self.names, dict(self.lines)
        self.names = {}
        self.file(path)
        held, self.names, self.lines = self.names, before, lines
        self.names[name] = {"dict": held}

    def find(self, node):
        parts = (node.module or "").split(".") if node.module else []
        if node.level:
            base = self.folder
            for _ in range(node.level - 1): base = os.path.dirname(base)
            bases = [base]
        else:
            bases, base = [], self.folder
            for _ in range(6):
                bases.append(base)
                base = os.path.dirname(base)
        for base in bases:
            for path in (os.path.join(base, *parts) + ".py", os.path.join(base, *parts, "__init__.py")):
                if parts and os.path.isfile(path): return path
        return None

    def file(self, path):
        path = os.path.abspath(path)
        if path in self.seen or len(self.seen) > 40: return
        self.seen.add(path)
        folder = getattr(self, "folder", None)
        self.folder = os.path.dirname(path)
        with open(path, "rb") as held: tree = ast.parse(held.read(), path)
        self.body(tree.body)
        if folder is not None: self.folder = folder

reader = Reader()
error = None
try: reader.file(sys.argv[1])
except SyntaxError as problem: error = "line %s: %s" % (problem.lineno, problem.msg)
except RecursionError: error = "it is nested too deeply"
kept = {name: value for name, value in reader.names.items() if name.startswith("EMAIL") or name in ("MAILERS", "DEFAULT_FROM_EMAIL", "SERVER_EMAIL")}
print(json.dumps({"names": kept, "lines": {name: line for name, line in reader.lines.items() if name in kept}, "unread": reader.unread, "maybe": reader.maybe, "error": error}))
`;
