variable "project_id" {
  description = "Project that owns everything here."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: expected a project ID such as acme-mail-prod, not a name and not a number."
  }
}

variable "region" {
  description = "Region of the functions, the queues, the buckets, the ledger and the secrets. It cannot be changed later. New and trial projects may build in us-central1, us-west2, europe-west1, asia-east1, australia-southeast1 and southamerica-east1 only."
  type        = string
  default     = "europe-west1"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: expected a region such as europe-west1, not a zone and not a multi-region."
  }
}

variable "name_prefix" {
  description = "First part of every name here; the functions are PREFIX-api, PREFIX-worker and so on."
  type        = string
  default     = "mailgrant"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix: expected 3 to 20 lower-case letters, digits or hyphens, a letter first (IDs of service accounts end at 30)."
  }
  validation {
    condition     = !startswith(var.name_prefix, "goog")
    error_message = "name_prefix: names of topics and buckets may not begin with goog."
  }
}

variable "labels" {
  description = "Labels added to every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: expected names and values of lower-case letters, digits, hyphens and underscores, 63 at most; a name begins with a letter."
  }
}

variable "config_file" {
  description = "Path of config/mailgrant.yaml, the file that the functions carry; relative paths count from infra/."
  type        = string
  default     = "../config/mailgrant.yaml"
  nullable    = false
  validation {
    condition     = can(length(yamldecode(file(var.config_file)).mailboxes) > 0)
    error_message = "config_file: expected a file with at least one entry under `mailboxes:`. `npx mailgrant config` names what is wrong in it."
  }
  validation {
    condition     = !can(yamldecode(file(var.config_file)).extends)
    error_message = "config_file: expected a whole file, and this one extends another. `npx mailgrant deploy -- --env NAME` merges the two and gives the result."
  }
}

variable "dist" {
  description = "Folder of the built archives, one NAME.zip per function (`npx mailgrant build --zip`)."
  type        = string
  default     = "../dist"
  nullable    = false
  validation {
    condition     = alltrue([for name in keys(local.functions) : fileexists("${var.dist}/${name}.zip")])
    error_message = "dist: expected api.zip, worker.zip, watch.zip and, where a route has a hook, hooks.zip there; make them by `npx mailgrant build --zip`."
  }
}

variable "runtime" {
  description = "Runtime of the functions."
  type        = string
  default     = "nodejs24"
  nullable    = false
  validation {
    condition     = contains(["nodejs24"], var.runtime)
    error_message = "runtime: expected nodejs24 (deprecated 2028-04-30); the bundles are made for Node 24 and newer."
  }
}

variable "access" {
  description = "Who reaches api and hooks. private: the project's VPC and load balancers, with IAM. iam: the internet, with IAM. public: the internet, and the function itself checks keys (api) or signatures (hooks)."
  type = object({
    api   = optional(string, "private")
    hooks = optional(string, "private")
  })
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for level in values(var.access) : contains(["private", "iam", "public"], level)])
    error_message = "access: expected private, iam or public for api and for hooks."
  }
  validation {
    condition     = var.access.api != "public" || length([for key in local.keys : key if can(key.sha256)]) > 0
    error_message = "access.api = \"public\": there is no key in the config, so nobody could send. Make one first: npx mailgrant key create NAME."
  }
  validation {
    condition     = var.access.api != "public" || length(local.identities) == 0
    error_message = "access.api = \"public\": a key of the config names an identity, which is believed only behind IAM. Give that caller a key with sha256, or set access.api to iam."
  }
  validation {
    condition     = var.access.hooks == "private" || length(local.hooks) > 0
    error_message = "access.hooks: no route of the config has a hook, so there is nothing to open."
  }
}

variable "callers" {
  description = "IAM members that may call api and hooks, such as serviceAccount:web@acme-web.iam.gserviceaccount.com; the identities of the config's keys may anyway. Behind IAM a caller needs both this and its key."
  type = object({
    api   = optional(set(string), [])
    hooks = optional(set(string), [])
  })
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for member in setunion(var.callers.api, var.callers.hooks) : can(regex("^(serviceAccount|user|group|principal|principalSet|domain):.+", member))])
    error_message = "callers: expected members such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com. To open a function to everyone set access to public."
  }
  validation {
    condition     = length(var.callers.hooks) == 0 || length(local.hooks) > 0
    error_message = "callers.hooks: no route of the config has a hook, so there is nothing to call."
  }
}

variable "functions" {
  description = "Sizes that differ from the usual ones, by function: memory, CPU, parallel requests per instance, instances, seconds. max_instances x concurrency bounds the parallel sends."
  type = map(object({
    memory        = optional(string)
    cpu           = optional(string)
    concurrency   = optional(number)
    min_instances = optional(number)
    max_instances = optional(number)
    timeout       = optional(number)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for name in keys(var.functions) : contains(["api", "worker", "hooks", "watch"], name)])
    error_message = "functions: expected api, worker, hooks or watch."
  }
  validation {
    condition     = alltrue([for size in values(var.functions) : coalesce(size.timeout, 60) >= 20 && coalesce(size.timeout, 60) <= 500])
    error_message = "functions.timeout: expected 20 to 500 seconds; Pub/Sub waits for an acknowledgement 600 seconds at most, and 30 are kept in hand."
  }
  validation {
    condition     = alltrue([for name, size in var.functions : coalesce(size.concurrency, name == "watch" ? 1 : 4) == 1 || try(tonumber(coalesce(size.cpu, "1")) >= 1, false)])
    error_message = "functions.concurrency: more than one request at a time needs one whole CPU, and all but watch take four unless told otherwise: with cpu below 1 say concurrency = 1."
  }
  validation {
    condition     = alltrue([for name, size in var.functions : coalesce(size.max_instances, name == "watch" ? 1 : 5) >= coalesce(size.min_instances, 0)])
    error_message = "functions.max_instances: expected at least min_instances; it is 1 for watch and 5 for the others unless told otherwise."
  }
}

variable "stopped" {
  description = "Whether nothing is sent, and what comes waits. `npx mailgrant stop` does it without a deployment; this keeps it so over one."
  type        = bool
  default     = false
  nullable    = false
}

variable "queue" {
  description = "How long Pub/Sub waits between two deliveries of an email, at first and at most, and how long a topic keeps what was published."
  type = object({
    min_backoff = optional(string, "10s")
    max_backoff = optional(string, "600s")
    retention   = optional(string, "604800s")
  })
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for span in [var.queue.min_backoff, var.queue.max_backoff] : try(tonumber(trimsuffix(span, "s")) <= 600, false)])
    error_message = "queue.min_backoff, queue.max_backoff: expected seconds such as 10s, 600s at most."
  }
  validation {
    condition     = try(tonumber(trimsuffix(var.queue.min_backoff, "s")) <= tonumber(trimsuffix(var.queue.max_backoff, "s")), true)
    error_message = "queue.min_backoff: expected no more than max_backoff."
  }
  validation {
    condition     = try(tonumber(trimsuffix(var.queue.retention, "s")) >= 600 && tonumber(trimsuffix(var.queue.retention, "s")) <= 2678400, false)
    error_message = "queue.retention: expected seconds between 600s and 2678400s (31 days)."
  }
}

variable "settle_seconds" {
  description = "How long new grants are given before what needs them is made: the builds of the functions, the trigger for documents."
  type        = number
  default     = 90
  nullable    = false
  validation {
    condition     = var.settle_seconds >= 0 && var.settle_seconds <= 600 && floor(var.settle_seconds) == var.settle_seconds
    error_message = "settle_seconds: expected whole seconds, 600 at most."
  }
}

variable "audit_logs" {
  description = "Have Google record who reads a secret, and who mints a token or signs as a service account (Data Access logs of Secret Manager and IAM, for the whole project). false where the organisation sets this itself."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_topics" {
  description = "Topics of routes to create here, by short name; the others must exist, such as those of other teams."
  type        = set(string)
  default     = []
  nullable    = false
  validation {
    condition     = length(setsubtract(var.create_topics, concat([for route in local.routes : route.topic if can(route.topic)], var.build == null ? [] : ["cloud-builds"]))) == 0
    error_message = "create_topics: a name there is the topic of no route in the config, nor cloud-builds beside `build`."
  }
}

variable "database" {
  description = "Firestore database of the ledger."
  type        = string
  default     = "mailgrant"
  nullable    = false
  validation {
    condition     = var.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "database: expected (default), or 4 to 63 lower-case letters, digits or hyphens, a letter first."
  }
}

variable "create_database" {
  description = "Create the ledger's database here; false if it exists already."
  type        = bool
  default     = true
  nullable    = false
}

variable "documents_location" {
  description = "Location of the Firestore database that `documents:` in the config names, if it is not the region: nam5, eur3."
  type        = string
  default     = null
}

variable "watch_schedule" {
  description = "When watch looks at every grant, as a cron line in UTC."
  type        = string
  default     = "17 */6 * * *"
  nullable    = false
  validation {
    condition     = can(regex("^(\\S+ ){4}\\S+$", var.watch_schedule))
    error_message = "watch_schedule: expected five fields such as 17 */6 * * *."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to; with none, incidents are only in the console."
  type        = set(string)
  default     = []
  nullable    = false
  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails: expected addresses such as ops@example.com."
  }
}

variable "budget" {
  description = "Monthly budget of the project, told at 50, 90 and 100 %; null for none. It needs a right on the billing account."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string) # another one than the billing account's is refused
  })
  default = null
  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account: expected an ID such as 012345-6789AB-CDEF01."
  }
}

variable "build" {
  description = "The pipeline: Cloud Build triggers on a repository connected as 2nd generation, projects/P/locations/L/connections/C/repositories/R; null for none. What is applied waits for a person's approval, unless approval is false."
  type = object({
    repository = string
    branch     = optional(string, "main")
    approval   = optional(bool, true)
    # The environment that is deployed, as `npx mailgrant deploy -- --env NAME` takes it; the default is the one without a name.
    env = optional(string, "")
    # The bucket of the state, where it is not PROJECT-mailgrant-state.
    state_bucket = optional(string)
  })
  default = null
  validation {
    condition     = var.build == null || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.build.repository))
    error_message = "build.repository: expected projects/P/locations/L/connections/C/repositories/R."
  }
  validation {
    condition     = var.build == null || can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.build.branch))
    error_message = "build.branch: expected the name of one branch, such as main, not a pattern."
  }
  validation {
    condition     = var.build == null || can(regex("^([a-z][a-z0-9-]*)?$", var.build.env))
    error_message = "build.env: expected the name of an environment, such as staging."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS in the same region for topics, buckets, images, secrets, functions and the ledger; null for Google's own. Its service agents need cryptoKeyEncrypterDecrypter first."
  type        = string
  default     = null
  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key: expected projects/P/locations/REGION/keyRings/R/cryptoKeys/K with the region of this deployment."
  }
}
