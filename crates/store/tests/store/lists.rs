//! What all lists share: orders in both directions, pages of any size, totals, filters.

use std::fmt::Debug;

use store::account::{self, Account, AccountFilter, AccountSort};
use store::call::{self, CallFilter, CallSort};
use store::contact::{self, ContactFields, ContactFilter, ContactSort};
use store::dependents::{self, DependentEffect, DependentKind};
use store::device::{self, Device, DeviceFields, DeviceFilter, DeviceSort, Report};
use store::membership::{self, MemberFilter};
use store::provider::{self, ProviderFilter, ProviderSort};
use store::{
    AccountStatus, DeviceStatus, DeviceSubStatus, MAX_TOTAL, Online, Page, PageRequest, Role,
    SipTransport, Sort, SortColumn, StoreError, Total,
};
use uuid::Uuid;

use crate::call::call as made;
use crate::ground::{
    Ground, NOW, account_fields, after_minutes, contact_fields, new_user, on_both, provider_fields,
    search,
};

on_both! {
    contacts_are_ordered_by_what_is_asked_and_those_without_it_come_last,
    devices_are_ordered_by_when_they_were_heard_of_last,
    accounts_and_providers_have_orders_of_their_own,
    calls_are_read_from_either_end,
    a_cursor_belongs_to_one_order,
    a_list_says_how_many_it_has,
    a_long_list_is_not_counted_to_its_end,
    contacts_are_left_in_by_directory_and_devices,
    accounts_are_left_in_by_provider_push_and_status,
    devices_are_left_in_by_status_and_what_they_wait_for,
    members_and_providers_are_searched_and_left_in,
    numbers_are_found_in_any_spelling,
    what_depends_on_something_is_named_with_what_becomes_of_it,
}

/// Reads a list to its end in pages of every size, in this order and the opposite one, and says what the rows have in the column. The
/// same rows must come whatever the size of the page, each once.
macro_rules! in_order {
    ($list:expr, $by:expr, $of:expr) => {{
        let mut both = Vec::new();
        for sort in [Sort::ascending($by), Sort::descending($by)] {
            let mut whole: Option<Vec<Uuid>> = None;
            let mut values = Vec::new();
            for limit in [1, 2, 3, 50] {
                let mut request = PageRequest {
                    limit,
                    sort,
                    ..PageRequest::default()
                };
                let (mut ids, mut read) = (Vec::new(), Vec::new());
                loop {
                    let page = $list(request.clone()).await.unwrap();
                    ids.extend(page.items.iter().map(|item| item.id));
                    read.extend(page.items.iter().map($of));
                    let Some(next) = page.next else { break };
                    request.after = Some(next.to_string().parse().unwrap());
                }
                assert_eq!(
                    whole.get_or_insert_with(|| ids.clone()),
                    &ids,
                    "{sort} {limit}"
                );
                values = read;
            }
            both.push(values);
        }
        both
    }};
}

#[track_caller]
fn expect<T: Debug + PartialEq>(both: &[Vec<T>], ascending: &[T], descending: &[T]) {
    assert_eq!(both[0], ascending);
    assert_eq!(both[1], descending);
}

async fn contact_of(ground: &Ground, last_name: &str, company: Option<&str>) -> Uuid {
    let fields = ContactFields {
        company: company.map(str::to_owned),
        ..contact_fields("X", last_name)
    };
    let made = contact::insert(ground.tenant.id, &fields, NOW, &ground.db).await;
    made.unwrap().id
}

async fn contacts_are_ordered_by_what_is_asked_and_those_without_it_come_last(ground: Ground) {
    for (name, company) in [
        ("e", None),
        ("a", Some("zeta")),
        ("c", Some("Ärzte")),
        ("b", Some("Alpha")),
        ("d", None),
        ("f", Some("alpha")),
    ] {
        contact_of(&ground, name, company).await;
    }
    let list = async |request: PageRequest<ContactSort>| {
        let all = ContactFilter::default();
        contact::list(ground.tenant.id, &all, &request, &ground.db).await
    };
    let company =
        |contact: &contact::Contact| contact.company.clone().map(|name| name.to_lowercase());
    let some = |name: &str| Some(name.to_owned());
    let up = [
        some("alpha"),
        some("alpha"),
        some("zeta"),
        some("ärzte"),
        None,
        None,
    ];
    let down = [
        some("ärzte"),
        some("zeta"),
        some("alpha"),
        some("alpha"),
        None,
        None,
    ];
    expect(&in_order!(list, ContactSort::Company, company), &up, &down);
    let name = |contact: &contact::Contact| contact.last_name.clone();
    let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
    let mut backwards = names.clone();
    backwards.reverse();
    expect(
        &in_order!(list, ContactSort::Name, name),
        &names,
        &backwards,
    );
    let both = in_order!(
        list,
        ContactSort::CreatedAt,
        |contact: &contact::Contact| contact.id
    );
    assert!(both[0].is_sorted() && both[1].iter().rev().is_sorted());
}

async fn activated(ground: &Ground, name: &str, account: &Account) -> Device {
    let device = ground.device(name, &[account]).await;
    crate::activation::activate(ground, device.id).await;
    device::load(ground.tenant.id, device.id, &ground.db)
        .await
        .unwrap()
}

/// A device with this platform that was heard of at that minute.
async fn reporting(
    ground: &Ground,
    name: &str,
    account: &Account,
    platform: &str,
    minute: i64,
) -> Device {
    let device = activated(ground, name, account).await;
    let report = Report {
        applied_version: 1,
        app_version: "1.0",
        platform,
    };
    device::report(
        ground.tenant.id,
        device.id,
        &report,
        after_minutes(minute),
        &ground.db,
    )
    .await
    .unwrap();
    device
}

/// In a tenant that has other devices on the same account and another provider with the same user name.
async fn desk_phones_are_there_by_their_lines(ground: &Ground) {
    let tenant = ground.tenant.id;
    let own = ground.account("700").await;
    let fields = account_fields(ground.provider("Elsewhere").await.id, "700");
    let foreign = ground.account_of(tenant, &fields).await;
    let softphone = activated(ground, "Softphone", &own).await;
    let mut desk_phones = Vec::new();
    for (name, account) in [("Own", &own), ("Foreign", &foreign)] {
        let device = ground.device(name, &[account]).await;
        crate::desk_phone::fetched(ground, device.id).await;
        desk_phones.push(device.id);
    }
    let filter = |domain: &str| DeviceFilter {
        statuses: vec![DeviceStatus::Online],
        online: Online {
            domain: domain.to_owned(),
            users: vec!["700".to_owned()],
            strangers: vec!["700".to_owned(), "nobody".to_owned()],
            ..Online::default()
        },
        ..DeviceFilter::default()
    };
    let found = async |domain: &str| {
        let request = PageRequest {
            sort: DeviceSort::USUAL,
            ..PageRequest::default()
        };
        let page = device::list(tenant, &filter(domain), &request, &ground.db).await;
        let devices = page.unwrap().items.into_iter();
        devices.map(|device| device.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&ground.tenant.sip_domain).await, [desk_phones[0]]);
    assert!(found("other.example").await.is_empty());
    for device in [desk_phones, vec![softphone.id]].concat() {
        device::delete(tenant, device, &ground.db).await.unwrap();
    }
}

async fn devices_are_ordered_by_when_they_were_heard_of_last(ground: Ground) {
    let account = ground.account("100").await;
    reporting(&ground, "b", &account, "linux", 3).await;
    ground.device("d", &[&account]).await;
    reporting(&ground, "a", &account, "windows", 7).await;
    reporting(&ground, "c", &account, "linux", 5).await;
    ground.device("e", &[&account]).await;
    let list = async |request: PageRequest<DeviceSort>| {
        let all = DeviceFilter::default();
        device::list(ground.tenant.id, &all, &request, &ground.db).await
    };
    let seen = |device: &Device| device.last_seen_at.map(|at| (at - NOW).whole_minutes());
    expect(
        &in_order!(list, DeviceSort::LastSeenAt, seen),
        &[Some(3), Some(5), Some(7), None, None],
        &[Some(7), Some(5), Some(3), None, None],
    );
    let platform = |device: &Device| device.platform.clone();
    let [linux, windows] = ["linux", "windows"].map(|name| Some(name.to_owned()));
    expect(
        &in_order!(list, DeviceSort::Platform, platform),
        &[linux.clone(), linux.clone(), windows.clone(), None, None],
        &[windows, linux.clone(), linux, None, None],
    );
}

async fn accounts_and_providers_have_orders_of_their_own(ground: Ground) {
    let own = ground.own_provider().await.id;
    for (username, name) in [("103", "a"), ("101", "c"), ("102", "b")] {
        let mut fields = account_fields(own, username);
        fields.name = name.to_owned();
        ground.account_of(ground.tenant.id, &fields).await;
    }
    let list = async |request: PageRequest<AccountSort>| {
        let all = AccountFilter::default();
        account::list(ground.tenant.id, &all, &request, &ground.db).await
    };
    expect(
        &in_order!(list, AccountSort::Username, |account: &Account| account
            .username
            .clone()),
        &["101", "102", "103"].map(str::to_owned),
        &["103", "102", "101"].map(str::to_owned),
    );
    let mut fields = provider_fields("A");
    fields.server = "zz.example".to_owned();
    provider::insert(ground.tenant.id, &fields, NOW, &ground.db)
        .await
        .unwrap();
    let list = async |request: PageRequest<ProviderSort>| {
        let all = ProviderFilter::default();
        provider::list(ground.tenant.id, &all, &request, &ground.db).await
    };
    let server = |provider: &provider::Provider| provider.server.clone();
    let servers = ["acme.tandem.example", "zz.example"].map(str::to_owned);
    let mut backwards = servers.clone();
    backwards.reverse();
    expect(
        &in_order!(list, ProviderSort::Server, server),
        &servers,
        &backwards,
    );
}

async fn calls_are_read_from_either_end(ground: Ground) {
    let calls: Vec<_> = (0..5).map(|minute| made(minute, "101", "102")).collect();
    let calls: Vec<_> = calls
        .into_iter()
        .map(|call| (ground.tenant.id, call))
        .collect();
    call::append(&calls, &ground.db).await.unwrap();
    for search in [None, Some("101".to_owned())] {
        let filter = CallFilter {
            search,
            ..CallFilter::default()
        };
        let mut both = Vec::new();
        for sort in [Sort::ascending(CallSort::StartedAt), CallSort::USUAL] {
            let mut request = PageRequest {
                limit: 2,
                sort,
                total: true,
                ..PageRequest::default()
            };
            let mut minutes = Vec::new();
            loop {
                let page = call::list(ground.tenant.id, &filter, &request, &ground.db)
                    .await
                    .unwrap();
                assert_eq!(
                    page.total,
                    Some(Total {
                        count: 5,
                        exact: true
                    })
                );
                let started = page.items.iter().map(|known| known.call.started_at);
                minutes.extend(started.map(|at| (at - NOW).whole_minutes()));
                request.after = page.next;
                if request.after.is_none() {
                    break;
                }
            }
            both.push(minutes);
        }
        expect(&both, &[0, 1, 2, 3, 4], &[4, 3, 2, 1, 0]);
    }
}

async fn a_cursor_belongs_to_one_order(ground: Ground) {
    for name in ["a", "b", "c"] {
        contact_of(&ground, name, Some(name)).await;
    }
    let all = ContactFilter::default();
    let by = |sort, after| PageRequest {
        limit: 1,
        sort,
        after,
        ..PageRequest::default()
    };
    let list = async |request: PageRequest<ContactSort>| {
        contact::list(ground.tenant.id, &all, &request, &ground.db).await
    };
    let name = Sort::ascending(ContactSort::Name);
    let after = list(by(name, None)).await.unwrap().next;
    assert_eq!(list(by(name, after.clone())).await.unwrap().items.len(), 1);
    for other in [
        Sort::descending(ContactSort::Name),
        Sort::ascending(ContactSort::Company),
        Sort::ascending(ContactSort::CreatedAt),
    ] {
        let refused = list(by(other, after.clone())).await;
        assert!(matches!(refused, Err(StoreError::ForeignCursor)), "{other}");
    }
}

async fn a_list_says_how_many_it_has(ground: Ground) {
    for name in ["Hopper", "Hopkins", "Lovelace"] {
        contact_of(&ground, name, None).await;
    }
    let count = async |request: PageRequest<ContactSort>| {
        let all = ContactFilter::default();
        let page: Page<_> = contact::list(ground.tenant.id, &all, &request, &ground.db)
            .await
            .unwrap();
        page.total
    };
    assert_eq!(count(PageRequest::default()).await, None);
    let of = |words| PageRequest {
        limit: 1,
        total: true,
        ..search(words)
    };
    assert_eq!(
        count(of("")).await,
        Some(Total {
            count: 3,
            exact: true
        })
    );
    assert_eq!(
        count(of("hop")).await,
        Some(Total {
            count: 2,
            exact: true
        })
    );
    assert_eq!(
        count(of("nobody")).await,
        Some(Total {
            count: 0,
            exact: true
        })
    );
}

async fn a_long_list_is_not_counted_to_its_end(ground: Ground) {
    let most = usize::try_from(MAX_TOTAL).unwrap();
    let call = || (ground.tenant.id, made(1, "101", "102"));
    let calls: Vec<_> = (0..most).map(|_| call()).collect();
    call::append(&calls, &ground.db).await.unwrap();
    let request = PageRequest {
        limit: 1,
        total: true,
        ..PageRequest::default()
    };
    let total = async || {
        let all = CallFilter::default();
        let page = call::list(ground.tenant.id, &all, &request, &ground.db).await;
        page.unwrap().total.unwrap()
    };
    let count = MAX_TOTAL;
    assert_eq!(total().await, Total { count, exact: true });
    call::append(&[call()], &ground.db).await.unwrap();
    assert_eq!(
        total().await,
        Total {
            count,
            exact: false
        }
    );
}

async fn contacts_are_left_in_by_directory_and_devices(ground: Ground) {
    let device = ground.device("Desk", &[&ground.account("100").await]).await;
    let hidden = ContactFields {
        in_directory: false,
        ..contact_fields("X", "Hidden")
    };
    contact::insert(ground.tenant.id, &hidden, NOW, &ground.db)
        .await
        .unwrap();
    let found = async |in_directory, has_device| {
        let filter = ContactFilter {
            in_directory,
            has_device,
        };
        let request = PageRequest::default();
        let page = contact::list(ground.tenant.id, &filter, &request, &ground.db).await;
        let names = page.unwrap().items.into_iter();
        names.map(|contact| contact.last_name).collect::<Vec<_>>()
    };
    assert_eq!(device.contact.name, "Grace Desk");
    assert_eq!(found(None, None).await, ["Desk", "Hidden"]);
    assert_eq!(found(Some(true), None).await, ["Desk"]);
    assert_eq!(found(Some(false), None).await, ["Hidden"]);
    assert_eq!(found(None, Some(true)).await, ["Desk"]);
    assert_eq!(found(None, Some(false)).await, ["Hidden"]);
    assert!(found(Some(false), Some(true)).await.is_empty());
}

async fn accounts_are_left_in_by_provider_push_and_status(ground: Ground) {
    let tenant = ground.tenant.id;
    let [bound, reported, silent, unused] = [
        ground.account("101").await,
        ground.account("102").await,
        ground.account("103").await,
        ground.account("104").await,
    ];
    let third = ground.provider("Third").await;
    let mut fields = account_fields(third.id, "101");
    fields.push = false;
    fields.name = "Third's".to_owned();
    let foreign = ground.account_of(tenant, &fields).await;
    let desk = ground
        .device("Desk", &[&bound, &reported, &silent, &foreign])
        .await;
    let other = ground.device("Other", &[&silent]).await;
    let online = Online {
        domain: ground.tenant.sip_domain.clone(),
        users: vec!["101".to_owned(), "nobody".to_owned(), "104".to_owned()],
        strangers: Vec::new(),
        devices: vec![desk.id],
        // The second is no line of that device.
        lines: vec![
            (desk.id, reported.id),
            (other.id, bound.id),
            (other.id, unused.id),
        ],
    };
    let found = async |filter: AccountFilter| {
        let request = PageRequest {
            sort: AccountSort::USUAL,
            total: true,
            ..PageRequest::default()
        };
        let page = account::list(tenant, &filter, &request, &ground.db)
            .await
            .unwrap();
        let names: Vec<_> = page.items.into_iter().map(|account| account.name).collect();
        assert_eq!(page.total.unwrap().count, names.len() as u64);
        names
    };
    let status = |statuses: &[AccountStatus]| AccountFilter {
        statuses: statuses.to_vec(),
        online: online.clone(),
        ..AccountFilter::default()
    };
    use AccountStatus::{NotInUse, Offline, Online as There};
    assert_eq!(found(status(&[There])).await, ["Line 101", "Line 102"]);
    assert_eq!(found(status(&[Offline])).await, ["Line 103", "Third's"]);
    assert_eq!(found(status(&[NotInUse])).await, ["Line 104"]);
    assert_eq!(
        found(status(&[NotInUse, There])).await,
        ["Line 101", "Line 102", "Line 104"]
    );
    let nobody = AccountFilter {
        statuses: vec![Offline],
        ..AccountFilter::default()
    };
    assert_eq!(found(nobody).await.len(), 4);
    let of_third = AccountFilter {
        providers: vec![third.id],
        ..AccountFilter::default()
    };
    assert_eq!(found(of_third).await, ["Third's"]);
    let without_push = AccountFilter {
        push: Some(false),
        ..AccountFilter::default()
    };
    assert_eq!(found(without_push).await, ["Third's"]);
    let of = |contact| AccountFilter {
        contacts: vec![contact],
        ..AccountFilter::default()
    };
    assert_eq!(found(of(other.contact.id)).await, ["Line 103"]);
    assert_eq!(found(of(desk.contact.id)).await.len(), 4);
    assert!(found(of(third.id)).await.is_empty());
}

async fn devices_are_left_in_by_status_and_what_they_wait_for(ground: Ground) {
    let account = ground.account("100").await;
    let new = ground.device("New", &[&account]).await;
    let [there, away] = [
        activated(&ground, "There", &account).await,
        activated(&ground, "Away", &account).await,
    ];
    let report = Report {
        applied_version: away.configuration_version,
        app_version: "1.0",
        platform: "Plan9",
    };
    device::report(ground.tenant.id, away.id, &report, NOW, &ground.db)
        .await
        .unwrap();
    let found = async |filter: DeviceFilter| {
        let request = PageRequest {
            sort: DeviceSort::USUAL,
            ..PageRequest::default()
        };
        let page = device::list(ground.tenant.id, &filter, &request, &ground.db).await;
        let devices = page.unwrap().items.into_iter();
        devices.map(|device| device.id).collect::<Vec<_>>()
    };
    let status = |status| DeviceFilter {
        statuses: vec![status],
        online: Online {
            devices: vec![there.id, new.id, Uuid::nil()],
            ..Online::default()
        },
        ..DeviceFilter::default()
    };
    assert_eq!(found(status(DeviceStatus::NotActivated)).await, [new.id]);
    assert_eq!(found(status(DeviceStatus::Online)).await, [there.id]);
    assert_eq!(found(status(DeviceStatus::Offline)).await, [away.id]);
    desk_phones_are_there_by_their_lines(&ground).await;
    let waiting = |sub_status, devices: &[Uuid]| DeviceFilter {
        sub_statuses: vec![sub_status],
        online: Online {
            devices: devices.to_vec(),
            ..Online::default()
        },
        ..DeviceFilter::default()
    };
    let (unstarted, pending) = (DeviceSubStatus::NotStarted, DeviceSubStatus::PendingUpdate);
    // Nobody has started it; when it comes it has a moment to say what it applied.
    assert_eq!(found(waiting(unstarted, &[])).await, [there.id]);
    assert!(found(waiting(pending, &[])).await.is_empty());
    assert!(found(waiting(unstarted, &[there.id])).await.is_empty());
    assert_eq!(found(waiting(pending, &[there.id])).await, [there.id]);
    let instructed = DeviceFilter {
        sub_statuses: vec![DeviceSubStatus::InstructionsSent],
        ..DeviceFilter::default()
    };
    assert!(found(instructed).await.is_empty());
    let platform = DeviceFilter {
        platforms: vec!["PLAN9".to_owned(), "windows".to_owned()],
        ..DeviceFilter::default()
    };
    assert_eq!(found(platform).await, [away.id]);
    let of_contact = DeviceFilter {
        contacts: vec![there.contact.id],
        ..DeviceFilter::default()
    };
    assert_eq!(found(of_contact).await, [there.id]);
    let fields = DeviceFields {
        name: "Away".into(),
        contact_id: away.contact.id,
        account_ids: vec![ground.account("199").await.id],
    };
    device::update(ground.tenant.id, away.id, &fields, None, &ground.db)
        .await
        .unwrap();
    assert_eq!(found(waiting(pending, &[])).await, [away.id]);
}

async fn members_and_providers_are_searched_and_left_in(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let grace = new_user("grace@example.net", db).await;
    membership::insert(tenant, grace.id, Role::ReadOnly, NOW, db)
        .await
        .unwrap();
    let members = async |words: &str, roles: &[Role]| {
        let filter = MemberFilter {
            roles: roles.to_vec(),
        };
        let page = membership::list(tenant, &filter, &search(words), db).await;
        let members = page.unwrap().items.into_iter();
        members.map(|member| member.user.email).collect::<Vec<_>>()
    };
    assert_eq!(
        members("LOVE example.net", &[]).await,
        ["grace@example.net"]
    );
    assert_eq!(members("", &[Role::Owner]).await, ["ada@example.org"]);
    assert_eq!(members("", &[Role::Owner, Role::ReadOnly]).await.len(), 2);
    ground.provider("Third").await;
    let providers = async |words: &str, transports: &[SipTransport]| {
        let filter = ProviderFilter {
            transports: transports.to_vec(),
        };
        let page = provider::list(tenant, &filter, &search(words), db).await;
        let providers = page.unwrap().items.into_iter();
        providers.map(|provider| provider.name).collect::<Vec<_>>()
    };
    assert_eq!(providers("sip.provider", &[]).await, ["Third"]);
    assert_eq!(providers("", &[SipTransport::Tls]).await, ["Third"]);
    assert_eq!(providers("", &[SipTransport::Udp]).await, ["Tandem"]);
}

async fn numbers_are_found_in_any_spelling(ground: Ground) {
    ground.contact("Grace", "Hopper").await;
    for written in [
        "030 1234",
        "0049 30 12345",
        "+49 (0)30/123-45",
        "3012345678",
    ] {
        let all = ContactFilter::default();
        let page = contact::list(ground.tenant.id, &all, &search(written), &ground.db).await;
        assert_eq!(page.unwrap().items.len(), 1, "{written}");
    }
}

async fn what_depends_on_something_is_named_with_what_becomes_of_it(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let third = ground.provider("Third").await;
    let trunk = ground
        .account_of(tenant, &account_fields(third.id, "900"))
        .await;
    let own = ground.account("100").await;
    let both = ground.device("Both", &[&trunk, &own]).await;
    let one = ground.device("One", &[&trunk]).await;
    let named = |dependents: dependents::Dependents| {
        let items = dependents.items.into_iter();
        let items: Vec<_> = items
            .map(|item| (item.kind, item.id, item.effect))
            .collect();
        (dependents.count, items)
    };
    use DependentEffect::{LosesAccount, Removed, SignsOut};
    use DependentKind::{Account as Line, Device as Phone};
    let phones = [(Phone, both.id, LosesAccount), (Phone, one.id, SignsOut)];
    let of_account = dependents::of_account(tenant, trunk.id, db).await.unwrap();
    assert_eq!(named(of_account), (2, phones.to_vec()));
    let of_provider = dependents::of_provider(tenant, third.id, db).await.unwrap();
    let all = [&[(Line, trunk.id, Removed)], &phones[..]].concat();
    assert_eq!(named(of_provider), (3, all));
    let person = both.contact.id;
    let of_contact = dependents::of_contact(tenant, person, db).await.unwrap();
    assert_eq!(named(of_contact), (1, vec![(Phone, both.id, SignsOut)]));
    let other = ground.other_tenant().await.id;
    assert!(matches!(
        dependents::of_contact(other, person, db).await,
        Err(StoreError::NotFound)
    ));

    for number in 0..25 {
        let fields = DeviceFields {
            name: format!("Phone {number:02}"),
            contact_id: person,
            account_ids: vec![own.id],
        };
        device::insert(tenant, &fields, NOW, db).await.unwrap();
    }
    let many = dependents::of_account(tenant, own.id, db).await.unwrap();
    assert_eq!((many.items.len(), many.count), (20, 26));
}
