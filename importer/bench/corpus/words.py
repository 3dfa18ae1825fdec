"""The vocabulary of the generated conversations: what people who write software, and their assistants, talk with.

About a thousand stems; with their forms, with composed identifiers, paths and numbers the text has as many different
words as real talk of its length. Frequent words stand first in each list: the generator prefers them.
"""

from __future__ import annotations

NOUNS = """
file function test error build request user server change value code type line list name page version path table key
branch module class client query response field field message module number object option order package parameter port
process project queue record report result row schema script service session setting signal socket source state status
step string structure switch system target task template thread timeout token tree trigger unit update variable view
window worker account action address adapter agent alert alias anchor answer archive argument array artifact asset
attempt attribute author backend backup badge balance bar base batch binary block board body boundary box bridge
browser bucket budget buffer bug bundle button cache calendar callback camera campaign cart case catalogue category
certificate chain channel chart check chunk circuit city cluster column command comment commit company component
condition config connection constant container context contract cookie copy core counter country coupon crash credit
currency cursor customer cycle dashboard database date day deadline debug decision default delay delivery dependency
design desk detail device dialog diagram difference directory discount disk document domain draft driver duplicate
edge editor element email endpoint engine entry environment estimate event example exception export expression factory
failure feature feed filter flag flow folder font footer form format frame framework gap gateway generator graph grid
group guard guest guide handle hash header heading health heap hint history hook host hour icon image import index
ingredient input install instance interface interval invoice item job join journal keyboard kernel label lambda
language latency layer layout leak length letter level library licence limit link loader location lock log login loop
machine macro mail map margin market mask matrix measure meeting member memory menu merge metric middleware migration
minute mirror mistake mock mode model monitor month mount movie music namespace network node note notice offer offset
operator orchestra outage outcome outline output owner page pair panel parent parser part partition password patch
pattern payment permission person phase phone photo picture pipeline pixel plan platform player plugin point policy
pool position post prefix preview price printer priority product profile promise prompt property protocol provider
proxy purchase quality question quota race range rate ratio reader reason receipt recipe redirect reference region
registry relation release remote renderer replica repository resource retry review role rollback room root route
router rule runner sample scale schedule scope score screen search season secret section sector seed segment selector
sensor sequence series shape sheet shell shipment shop sidebar site size slice slot snapshot solution speaker spinner
stack stage stock stop storage store story stream style subject subscription suite summary supplier symbol sync syntax
tab tag team temperature term terminal ticket time title tool total trace tracker traffic train transaction transfer
translation transport traveller type umbrella upload validator vector vendor video volume warehouse warning weather
webhook week weight widget width wizard word workflow workspace wrapper writer year zone
"""

VERBS = """
use add check run fix make test change build move remove write read call keep set update create return handle need
start stop load save store send parse render fetch install configure deploy import export rename replace refactor
restore retry review revert rewrite rotate sample scale scan schedule search select serialise share shift show shrink
skip slice sort split stage stream strip submit subscribe suggest support suspend swap sync tag terminate throttle
toggle touch trace track transform translate trigger trim truncate tune turn type unify unlock unwrap upgrade upload
validate verify visit wait walk warm watch weigh wire wrap accept adapt adjust align allow analyse announce append
apply approve archive assert assign attach avoid balance batch bind block bump cache calculate cancel capture clean
clear clone close collapse collect combine commit compare compile complete compress compute confirm connect consume
convert copy correct count cover crash decode decide declare decorate define delay delete deliver depend derive
describe design detect disable display document download drop duplicate emit enable encode encrypt enforce ensure
enter escape evaluate examine exclude execute expand expect explain expose extend extract fail fill filter find
finish flatten flush fold follow force format forward generate group guard guess hash hide hold ignore implement
improve include increase index inject insert inspect invoke isolate iterate join launch leak limit link list lock log
look maintain map mark match measure mention merge migrate mock monitor mount normalise notice notify open optimise
order override pack paginate pass patch pause persist pin ping place poll predict prefer prepare prevent print probe
process profile prune publish pull push queue quote raise rebase rebuild receive reconnect record recover redirect
reduce refresh register reject release reload repair repeat report request require reset resize resolve respond
"""

ADJECTIVES = """
new old other same first last right wrong small large empty missing broken failing open closed public private local
remote global default custom simple complex slow fast long short early late next previous current final main single
double full partial valid invalid unknown known optional required unused shared separate nested flat deep shallow
static dynamic async blocking lazy eager strict loose stable flaky fresh stale dirty clean clear noisy quiet safe
unsafe strong weak hard soft heavy light cheap expensive rare common obvious subtle hidden visible readable writable
temporary permanent internal external upstream downstream parallel sequential random ordered sorted unsorted unique
duplicate relative absolute recursive circular generic specific explicit implicit redundant necessary sufficient
careful minimal maximal average typical monthly weekly daily nightly annual regional national digital physical
automatic manual legacy modern experimental official proper strange odd likely unlikely green red blue yellow bright
"""

ADVERBS = """
now only still already again just first really also correctly quickly slowly always never often sometimes usually
carefully locally remotely directly explicitly implicitly cleanly silently safely twice once later earlier actually
probably currently previously eventually immediately separately together automatically manually consistently mostly
"""

TECH = """
Postgres Redis Docker Kubernetes React TypeScript Python Rust Go Node Django Flask FastAPI Rails Terraform Ansible
Kafka RabbitMQ nginx GraphQL gRPC REST JSON YAML TOML Markdown SQLite MySQL MongoDB Elasticsearch Prometheus Grafana
OAuth JWT TLS SSH DNS HTTP WebSocket CSS HTML Tailwind Vite webpack pytest Jest Playwright Cypress ESLint mypy ruff
Git GitHub GitLab CI npm pnpm yarn pip cargo Gradle Maven Java Kotlin Swift Android iOS Linux macOS Windows Bash
PowerShell Lambda S3 CloudFront Vercel Stripe Twilio Slack Sentry OpenTelemetry Celery Airflow Spark Pandas NumPy
PyTorch ONNX Qdrant Svelte Vue Angular Next Express Prisma Alembic Helm Argo Vault Consul Envoy Caddy systemd inotify
"""

FOLDERS = "src lib app core api web cli tests pkg internal server client ui models views services utils jobs docs"
ENDINGS = "py py py ts ts tsx go rs js java sql yaml toml md sh css html json"
TOOLS = "Bash Bash Bash Read Read Read Edit Edit Grep Glob Write TodoWrite WebFetch Task"
SHORT_PROMPTS = """
ok|yes|continue|go on|yes please|run the tests|try again|commit it|looks good|no, the other one|do it|next|thanks|why?
undo that|push it|still broken|same error|and now?|ship it|yes, both|stop there|what changed?|use tabs|fix the lint
"""

# Slots in capitals: N NS noun(s), V VS VED VING verb forms, A adjective, D adverb, T product, F identifier, C class,
# P path, X number. Prompts ask, answers say.
PROMPTS = """
can you V the N in P so that the NS are no longer A?
the N keeps VING when the A N is VED, please look into it
add a A N to the N page and V it D
why does F return the A N after the N was VED?
we need to V all NS before the N, otherwise the N VS twice
please VED is not what I meant, V the N and leave the NS alone
refactor C so that the N and the A NS are separate
the tests for F fail on T with a A N, fix it
how should we V NS between the N and the N?
write a N that VS every N in P and VS the result
I get a N error in P line X since the N update
make the N A by default, but let the NS V it with a setting
is it possible to V the N without a A N? T does not support it
move the N from P to P and V the imports
what is the difference between the A N and the N in our T setup?
the N is too A when there are more than X NS, can we V it?
users complain that the N VS their NS D
look at the A NS in P first, then V the N
"""
ANSWERS = """
I'll V the N first to see how the NS are VED.
Now let me V the N in P.
Let me check how F VS the A N.
The N is VED in P, and the A N there VS before the NS are VED.
I VED the N, and all X tests pass now.
The reason is that C VS the N D, while F expects a A N.
There are X NS in the N, of which X are A.
That VS the N, but the A NS still need a N.
The problem is in F: it VS the N only when the NS are A.
I have VED P so that every N is VED before the N VS.
This N is A because T VS its NS in a separate N.
We could V the N in T, or V the NS with a A N and keep the N as it is.
The N now VS D, and I added a A test for the N.
After VING the N, I noticed that the NS in P are never VED.
Done: the N is VED, the NS are VED once, and the A N is gone.
Next I will V F and V the remaining NS.
The A N comes from T, which VS NS before the N has VED.
It should V the N only once; right now it VS one for each of the X NS.
Both the N and the A N use F, so VING it there is enough.
The simplest way is to V the NS in C and let the N V them D.
"""
CODE = """
def F(F, F=X):
    F = C(F, F=X)
    if F is None:
        return F.get("N", X)
    for F in F.F():
        F.append(F[X])
    raise C("A N: N not VED")
class C(C):
const F = await F(F, { N: X });
  return F.map((N) => N.F);
export function F(N: C): C {
import { C } from "../F";
func (s *C) F(N string) error {
	if err != nil { return err }
let F = C::new(F, X)?;
SELECT N, count(*) FROM F WHERE N = 'X' GROUP BY N;
$ T run N --F X
PASS P (X ms)
FAIL P: expected X NS, got X
error: N `F` is A in P:X
  at C.F (P:X:X)
- N: A
INFO VED N X in X ms
drwxr-xr-x X root root X N
"""
