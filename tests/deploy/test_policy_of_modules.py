"""What no module may have, read from its files: this needs neither Terraform nor a provider."""

import re

import pytest

from tests.deploy.hcl_files import blocks, text

CLOUDS = ("aws", "gcp")
PUTS_SECRETS_INTO_THE_STATE = {
    "aws_iam_access_key",
    "aws_iam_user_login_profile",
    "aws_secretsmanager_secret_version",
    "aws_ssm_parameter",
    "google_secret_manager_secret_version",
    "google_secret_manager_secret_version_access",
    "google_service_account_access_token",
    "google_service_account_key",
    "google_storage_hmac_key",
    "random_password",
    "tls_private_key",
}
ROLES_OF_GOOGLE = {  # each is as narrow as Google has it, and on as little as it can be
    "roles/artifactregistry.reader": "google_artifact_registry_repository_iam_member",
    "roles/batch.agentReporter": "google_project_iam_member",
    "roles/batch.jobsEditor": "google_project_iam_member",
    "roles/iam.serviceAccountTokenCreator": "google_service_account_iam_member",
    "roles/iam.serviceAccountUser": "google_service_account_iam_member",
    "roles/logging.logWriter": "google_project_iam_member",
    "roles/secretmanager.secretAccessor": "google_secret_manager_secret_iam_member",
    "roles/storage.objectUser": "google_storage_bucket_iam_member",
}


@pytest.fixture(params=CLOUDS)
def cloud(request):
    return request.param


def of(cloud, *types):
    return [one for one in blocks(cloud) if one.type in types]


def test_no_resource_puts_a_secret_into_the_state(cloud):
    assert [str(one) for one in of(cloud, *PUTS_SECRETS_INTO_THE_STATE)] == []


def test_every_variable_says_what_it_is_and_refuses_what_is_wrong(cloud):
    variables = [one for one in blocks(cloud) if one.kind == "variable"]
    free = {  # whatever their type allows is right
        *("tags", "labels", "vpc_id", "subnet_ids", "s3_route_table_ids", "image"),
        *("budget_of_tagged", "create_spot_role", "delete_contents", "bucket_location"),
    }

    assert variables
    for one in variables:
        assert len(one.body["description"]) > 20, one
        assert one.body["type"], one
        assert "validation" in one.body or one.name in free, one


def test_every_output_says_what_it_is(cloud):
    outputs = [one for one in blocks(cloud) if one.kind == "output"]

    assert {one.name for one in outputs} >= {"settings", "image", "repository_url"}
    assert all(one.body["description"] for one in outputs)


def test_nothing_is_public(cloud):
    made = str([one.body for one in blocks(cloud) if one.kind == "resource"])

    assert not re.search(r"allUsers|allAuthenticatedUsers|public-read|authenticated-read", made)
    assert "publicly_accessible" not in made


def test_the_bucket_of_aws_blocks_public_access_and_what_is_not_tls():
    (block,) = of("aws", "aws_s3_bucket_public_access_block")
    (policy,) = of("aws", "aws_s3_bucket_policy")

    names = ("block_public_acls", "block_public_policy", "ignore_public_acls")
    assert all(block.body[name] is True for name in (*names, "restrict_public_buckets"))
    assert "aws:SecureTransport" in str(policy.body)


def test_nothing_reaches_a_machine_of_aws():
    assert of("aws", "aws_vpc_security_group_ingress_rule", "aws_security_group_rule") == []
    (group,) = of("aws", "aws_security_group")
    assert "ingress" not in group.body
    for rule in of("aws", "aws_vpc_security_group_egress_rule"):
        assert (rule.body["from_port"], rule.body["to_port"]) == (443, 443)


def test_the_bucket_of_google_cannot_be_made_public():
    (bucket,) = of("gcp", "google_storage_bucket")

    assert bucket.body["uniform_bucket_level_access"] is True
    assert bucket.body["public_access_prevention"] == "enforced"
    assert bucket.body["versioning"][0]["enabled"] is True


def test_google_accounts_have_the_narrowest_roles_on_what_they_need():
    found = re.findall(r"roles/[A-Za-z.]+", text("gcp"))

    assert set(found) == set(ROLES_OF_GOOGLE)
    for one in blocks("gcp"):
        for role in re.findall(r"roles/[A-Za-z.]+", str(one.body)):
            assert one.type == ROLES_OF_GOOGLE[role], one
    assert not [one for one in blocks("gcp") if re.search(r"_iam_(binding|policy)$", one.type)]


def test_the_worker_of_google_has_nothing_in_the_bucket():
    members = of("gcp", "google_storage_bucket_iam_member", "google_storage_bucket_acl")

    assert [one.body["member"] for one in members] == ["${local.orchestrator}"]


@pytest.mark.parametrize(
    ("cloud", "wanted"),
    [
        ("aws", {"inbox/", "transcripts/", "work-manifests/"}),
        ("gcp", {"inbox/", "transcripts/", "work-manifests/"}),
    ],
)
def test_the_ledger_and_paid_results_have_no_lifecycle(cloud, wanted):
    rules = of(cloud, "aws_s3_bucket_lifecycle_configuration", "google_storage_bucket")

    assert set(re.findall(r"[\w-]+/(?=\\?['\"])", str([one.body for one in rules]))) == wanted
