"""Errors of the hub, each with a stable ``code`` that a client may match on.

::

    HubError                         internal_error      (protocols.errors)
    ├── StartRefused                 start_refused       the hub cannot start: exit code 2
    │   ├── SettingsError            bad_settings        a setting is misspelt or illegal (hub.settings)
    │   ├── PortInUse                port_in_use
    │   ├── CannotBind               cannot_bind         no such address, or not allowed to
    │   ├── EngineMissing            engine_missing      a setting names one that is not built
    │   ├── BadTls                   bad_tls             certificate or key cannot be read
    │   ├── CredentialsMissing       credentials_missing off loopback and no token defined
    │   ├── DataDirUnusable          data_dir_unusable   cannot be made or written
    │   │   └── DiskFull             disk_full           not now, perhaps later: exit code 1
    │   ├── DataDirLocked            data_dir_locked     another hub uses it
    │   └── StoreTooNew              store_too_new       written by a newer Robot Hub
    ├── StoreFailed                  store_failed        the disk is full, or worse
    ├── NotReady                     not_ready           draining, or not started yet
    │   └── Draining                 draining
    ├── Duel                         duel                two devices take one robot id in turns
    ├── UnknownRobot                 unknown_robot       it is not connected
    ├── NotAuthorised                not_authorised      a token that does not cover this
    │   ├── NotAuthenticated         not_authorised      no credential, or an unknown one
    │   │   └── TokenInUrl           token_in_url
    │   └── ForeignOrigin            foreign_origin      a page of another site, or a borrowed name
    ├── RateLimited                  rate_limited        too many requests of one token or address
    ├── BadRequest                   bad_request         a value that the request may not have
    │   ├── TooLong                  text_too_long
    │   ├── BadBody                  bad_body            not what its content type says
    │   │   ├── TooDeep              json_too_deep
    │   │   └── TooManyValues        json_too_many_values
    │   ├── TooManyParts             too_many_parts
    │   ├── BodyTooLarge             too_large
    │   ├── BodyTooSlow              body_too_slow       it did not come within its time
    │   ├── WrongMedia               unsupported_media   another content type is needed
    │   ├── HeadTooLarge             headers_too_large
    │   └── UrlTooLong               url_too_long
    └── JobError                     job_failed          ``code`` is the agent's own
        ├── Busy                     busy                nothing queues: come back later
        ├── JobTimeout               job_timeout
        └── AgentMissing             agent_missing       nobody who could do it is there
"""

from protocols.errors import HubError


class StartRefused(HubError):
    """The hub cannot start; the text is one sentence for the person who started it."""

    code = "start_refused"


class PortInUse(StartRefused):
    """Another program listens on the address."""

    code = "port_in_use"


class CannotBind(StartRefused):
    """The address is not this machine's, or the port needs a privilege."""

    code = "cannot_bind"


class EngineMissing(StartRefused):
    """A setting names an engine that this build does not have."""

    code = "engine_missing"


class BadTls(StartRefused):
    """The certificate or its key cannot be used."""

    code = "bad_tls"


class CredentialsMissing(StartRefused):
    """The hub would be reachable from other machines without any token being demanded."""

    code = "credentials_missing"


class DataDirUnusable(StartRefused):
    """The data directory cannot be created, or nothing can be written into it."""

    code = "data_dir_unusable"


class DiskFull(DataDirUnusable):
    """Its disk has no room, or fails: what is wrong is not how the hub was configured."""

    code = "disk_full"


class DataDirLocked(StartRefused):
    """Another hub uses the data directory."""

    code = "data_dir_locked"


class StoreTooNew(StartRefused):
    """A file of the data directory was written by a newer Robot Hub."""

    code = "store_too_new"


class StoreFailed(HubError):
    """Something could not be written or read; what was committed before still stands."""

    code = "store_failed"


class NotReady(HubError):
    """The hub is starting or draining and takes nothing new."""

    code = "not_ready"


class Draining(NotReady):
    """The hub is shutting down."""

    code = "draining"


class Duel(HubError):
    """Too many takeovers of one robot: the connection that it has keeps it for now."""

    code = "duel"

    def __init__(self, robot: str, retry_after_s: int) -> None:
        super().__init__(f"several devices use the robot id {robot!r}; wait {retry_after_s} s")
        self.retry_after_s = retry_after_s


class UnknownRobot(HubError):
    """The robot is not connected."""

    code = "unknown_robot"


class NotAuthorised(HubError):
    """The credential does not cover what was asked for, or there is none."""

    code = "not_authorised"


class NotAuthenticated(NotAuthorised):
    """A credential is needed and there is none, or one that is unknown, revoked or expired."""


class TokenInUrl(NotAuthenticated):
    """A token stands in the URL, where logs and histories keep it."""

    code = "token_in_url"


class ForeignOrigin(NotAuthorised):
    """A page of another site made a browser call, or a name was pointed at the hub."""

    code = "foreign_origin"


class RateLimited(HubError):
    """More requests than the token may make, or too many wrong credentials from one address."""

    code = "rate_limited"

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class BadRequest(HubError):
    """A request holds a value that it may not have."""

    code = "bad_request"


class TooLong(BadRequest):
    """A text is longer than its limit."""

    code = "text_too_long"


class BadBody(BadRequest):
    """A body is not what its content type says."""

    code = "bad_body"


class TooDeep(BadBody):
    """A JSON document nests deeper than any honest one."""

    code = "json_too_deep"


class TooManyValues(BadBody):
    """A JSON document would take many times its size in memory."""

    code = "json_too_many_values"


class TooManyParts(BadRequest):
    """A form has more parts than any route reads."""

    code = "too_many_parts"


class BodyTooLarge(BadRequest):
    """A body has more bytes than its route takes."""

    code = "too_large"


class BodyTooSlow(BadRequest):
    """A body did not come within its time."""

    code = "body_too_slow"


class WrongMedia(BadRequest):
    """The route takes another content type."""

    code = "unsupported_media"


class HeadTooLarge(BadRequest):
    """The headers of a request are too many or too long."""

    code = "headers_too_large"


class UrlTooLong(BadRequest):
    """The address of a request is too long."""

    code = "url_too_long"


class JobError(HubError):
    """A job ended without its answer; ``code`` says how, as its agent named it."""

    code = "job_failed"

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code  # type: ignore[misc]


class Busy(JobError):
    """Everybody who could do it is at capacity. Nothing is queued."""

    code = "busy"

    def __init__(self, detail: str, code: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, code)
        self.retry_after_s = retry_after_s


class JobTimeout(JobError):
    """The agent did not answer by the deadline."""

    code = "job_timeout"


class AgentMissing(JobError):
    """No agent that could do it is linked and ready, or it was lost while doing it."""

    code = "agent_missing"
