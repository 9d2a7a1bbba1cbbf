# Containers only. Versions are added by `npx mailgrant authorize` or by hand, never here: even a write-only
# secret_data_wo would have to be given to every later plan, the pipeline's included.
resource "google_secret_manager_secret" "mailbox" {
  for_each            = local.mailbox_secrets
  secret_id           = each.key
  annotations         = { mailboxes = join(",", each.value.addresses) }
  version_destroy_ttl = "604800s" # a version destroyed by mistake can be had back for a week
  deletion_protection = true
  deletion_policy     = "ABANDON" # a mailbox that is removed leaves its secret at Google; protection alone would refuse every later apply
  replication {
    user_managed { # an automatic one would need a global key of KMS
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [replication] # for life: one that `authorize` made before, or in another place, is kept and not made anew
  }
  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret" "hook" {
  for_each            = local.hook_secrets
  secret_id           = each.key
  annotations         = { routes = join(",", each.value) }
  version_destroy_ttl = "604800s"
  deletion_protection = true
  deletion_policy     = "ABANDON"
  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [replication]
  }
  depends_on = [google_project_service.this]
}

# Only the functions that mint tokens may read the grants.
resource "google_secret_manager_secret_iam_member" "read" {
  for_each  = merge([for name in local.minters : { for secret in keys(local.mailbox_secrets) : "${name}/${secret}" => { name = name, secret = secret } }]...)
  secret_id = google_secret_manager_secret.mailbox[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this[each.value.name].member
}

# Writing back a refresh token that Google replaced: only where the config says `rotates: true`. Whoever mints may be the one who
# is given it, watch too, and what is not written back is lost.
resource "google_secret_manager_secret_iam_member" "rotate" {
  for_each  = merge([for name in local.minters : { for secret, one in local.mailbox_secrets : "${name}/${secret}" => { name = name, secret = secret } if one.rotates }]...)
  secret_id = google_secret_manager_secret.mailbox[each.value.secret].id
  role      = "roles/secretmanager.secretVersionAdder"
  member    = google_service_account.this[each.value.name].member
}

resource "google_secret_manager_secret_iam_member" "hook" {
  for_each  = google_secret_manager_secret.hook
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this["hooks"].member
}

# Who read a grant, who minted a token or signed as an account: Google records it only where this is on. One entry a mailbox and
# token, some 1 KB; the setting is the project's, and this resource is the only one for these two services.
resource "google_project_iam_audit_config" "this" {
  # iam is also iamcredentials, which cannot be chosen alone; minting and signing are ADMIN_READ there.
  for_each = var.audit_logs ? { "secretmanager.googleapis.com" = ["DATA_READ"], "iam.googleapis.com" = ["ADMIN_READ", "DATA_READ"] } : {}
  project  = var.project_id
  service  = each.key
  dynamic "audit_log_config" {
    for_each = each.value
    content {
      log_type = audit_log_config.value
    }
  }
  depends_on = [google_project_service.this]
}
