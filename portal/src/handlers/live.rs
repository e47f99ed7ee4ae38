//! The live channel of the pages.

use std::{mem, time::Duration};

use api::{LivePosition, LiveRequest};
use axum::{
    extract::{State, WebSocketUpgrade},
    response::Response,
};
use time::OffsetDateTime;
use tokio::{select, sync::broadcast::error::RecvError, time::timeout};
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    error::ApiError,
    live::{Subscription, subscribe},
    socket::{self, GOING_AWAY, Gone, POLICY, Received, Socket},
};

/// Statuses of devices and accounts: a snapshot, then changes. See `LiveFrame` and `LiveRequest`.
#[utoipa::path(get, operation_id = "live_live", path = "/tenants/{tenant}/live", tag = "live",
    params(("tenant" = Uuid, Path)),
    responses((status = 101, description = "A WebSocket"), Refused), security(("session" = [])))]
pub(crate) async fn live(
    State(app): State<App>,
    caller: Caller,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let watching = app.clone();
    socket::open(upgrade, &app, async move |socket| {
        watch(socket, caller, watching).await;
    })
}

async fn watch(mut socket: Socket, caller: Caller, app: App) {
    let tenant = caller.tenant.id;
    // Whoever comes back says so at once; anybody else gets the snapshot after a moment.
    let position = match timeout(RESUME_WAIT, socket.receive()).await {
        Ok(Ok(Received::Text(text))) => position_in(&text),
        Ok(Err(Gone)) => return,
        Ok(Ok(Received::Pinged)) | Err(_) => None,
    };
    let Some(mut subscription) = join(&mut socket, tenant, position, &app).await else {
        return;
    };
    loop {
        let (epoch, seen) = (subscription.position.epoch, &mut subscription.position.seq);
        let rejoin = select! {
            () = app.stop.cancelled() => return socket.close(GOING_AWAY, "restarting").await,
            frame = subscription.frames.recv() => match frame {
                Ok(frame) => {
                    let Ok(()) = socket.send(frame.text).await else { return };
                    *seen = frame.seq;
                    continue;
                }
                Err(RecvError::Lagged(_) | RecvError::Closed) => Some(LivePosition { epoch, seq: *seen }),
            },
            received = socket.receive() => match received {
                Ok(Received::Text(text)) => position_in(&text),
                Ok(Received::Pinged) => {
                    if is_still_allowed(&caller, &app).await {
                        continue;
                    }
                    return socket.close(POLICY, "session ended").await;
                }
                Err(Gone) => return,
            },
        };
        match join(&mut socket, tenant, rejoin, &app).await {
            Some(joined) => subscription = joined,
            None => return,
        }
    }
}

/// Joins the stream and sends what comes first.
async fn join(
    socket: &mut Socket,
    tenant: Uuid,
    position: Option<LivePosition>,
    app: &App,
) -> Option<Subscription> {
    let mut subscription = subscribe(tenant, position, app).await?;
    for text in mem::take(&mut subscription.first) {
        socket.send(text).await.ok()?;
    }
    Some(subscription)
}

/// Where the page wants to go on; anything else asks for a snapshot.
fn position_in(text: &str) -> Option<LivePosition> {
    serde_json::from_str::<LiveRequest>(text)
        .ok()
        .map(|request| request.resume)
}

/// Signed out, password changed, or no member any more: then the channel ends with the next ping.
async fn is_still_allowed(caller: &Caller, app: &App) -> bool {
    let now = OffsetDateTime::now_utc();
    let lifetime = app.session_lifetime();
    let Ok(session) = caller.person.session() else {
        return false;
    };
    let session = store::session::find(session.token.reveal(), &lifetime, now, &app.db);
    let role = store::membership::find_role(caller.tenant.id, caller.person.user.id, &app.db);
    matches!(session.await, Ok(Some(_))) && matches!(role.await, Ok(Some(_)))
}

const RESUME_WAIT: Duration = Duration::from_millis(200);
