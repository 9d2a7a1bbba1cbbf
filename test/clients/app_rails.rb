# Action Mailer, as a Rails app uses it, over SMTP.
require 'logger'
require 'action_mailer'
(puts ActionMailer::VERSION::STRING; exit) if ARGV[0] == 'version'
config = Struct.new(:action_mailer).new(ActionMailer::Base)
eval ENV['RAILS'] # as docs/sidecar.md has it
class Orders < ActionMailer::Base
  def confirmation
    headers['Resend-Idempotency-Key'] = ENV['ITS_KEY'] if ENV['ITS_KEY']
    attachments['ü.bin'] = File.binread(ENV['FILE'])
    mail(from: "Grün <#{ENV['FROM']}>", to: 'you@example.net', bcc: 'hidden@example.net', subject: ENV['SUBJECT']) do |format|
      format.text { render plain: 'Grüße' }
      format.html { render html: '<p>Grüße</p>'.html_safe }
    end
  end
end
Orders.confirmation.deliver_now
