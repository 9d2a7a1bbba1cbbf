/** Sentences of Windows, .NET and PHPMailer in other languages than English: the same errors, and the same rows. */

export const SIGN_IN_FAILED =
  /imposible autentificar|no se pudo autenticar|échec de l.authentification|Authentifizierung fehlgeschlagen|Anmeldung fehlgeschlagen|não foi possível autenticar|impossibile autenticarsi|authenticatie mislukt|uwierzytelni\S+ nie|nie można przeprowadzić uwierzytelnienia|oturum açılamadı|ошибка авторизации|SMTP ?(?:错误|エラー|오류).{0,4}(?:登录失败|認証|인증)/i;

export const TIMED_OUT =
  /Gegenstelle nach einer bestimmten Zeitspanne nicht|la parte conectada no respondió|le parti connecté n.a pas répondu|componente conectado não respondeu|Risposta non corretta della parte connessa|Zeitüberschreitung|tiempo de espera agotado|délai d.attente dépassé|tempo limite|接続済みの呼び出し先が一定の時間|连接方在一段时间后没有正确答复/i;

export const CONNECTION_REFUSED =
  /Zielcomputer die Verbindung verweigerte|Verbindungsaufbau abgelehnt|equipo de destino denegó expresamente|l.a expressément refusée|máquina de destino as recusou ativamente|rifiuto persistente del computer di destinazione|conexión rehusada|connexion refusée|conexão recusada|対象のコンピューターによって拒否|目标计算机积极拒绝/i;

export const NOT_CONNECTED =
  /keine Verbindung zum SMTP-Host|imposible conectar al servidor SMTP|impossible de se connecter au serveur SMTP|não foi possível conectar ao servidor SMTP|impossibile connettersi all'host SMTP|kon niet verbinden met SMTP-host|nie można połączyć się z wybranym hostem|SMTP sunucusuna bağlanılamadı|не удается подключиться к SMTP|无法连接到 ?SMTP/i;

export const UNKNOWN_HOST =
  /Der angegebene Host ist unbekannt|Remotename konnte nicht aufgelöst werden|Host desconocido|no se puede resolver el nombre remoto|hôte inconnu|nom distant n.a pas pu être résolu|nome remoto não pôde ser resolvido|Este host não é conhecido|host sconosciuto|impossibile risolvere il nome remoto/i;
