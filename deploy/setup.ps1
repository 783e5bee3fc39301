# Makes random passwords for the containers, on Windows (deploy/setup.sh does the same on Linux and macOS):
#   deploy\setup.ps1                passwords in deploy\secrets\; .env points at them and opens the inventory to the network
#   deploy\setup.ps1 -Tls NAME      also HTTPS for that host name, with a self-signed certificate, and production mode
#   deploy\setup.ps1 -Into FOLDER   only the files, there
# Existing files are kept, so it is safe to repeat. HTTPS needs PowerShell 7.3.
# Arguments without an option name, such as --tls, are refused.
[CmdletBinding(PositionalBinding = $false)]
param([string]$Tls = '', [string]$Into = '')
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
Set-Location (Join-Path $PSScriptRoot '..')
# Files of .NET are relative to the process, not to the location.
[Environment]::CurrentDirectory = (Get-Location).Path

function Test-Secret([string]$Name) {
    (Test-Path "$folder/$Name") -and (Get-Item "$folder/$Name").Length -gt 0
}

function Stop-Setup([string]$Why) {
    [Console]::Error.WriteLine("setup: $Why")
    exit 1
}

$folder = if ($Into) { $Into } else { 'deploy/secrets' }

if (-not $Into -and -not (Test-Secret "root_password")) {
    $project = if ($env:COMPOSE_PROJECT_NAME) { $env:COMPOSE_PROJECT_NAME } else { 'inventory' }
    $volume = "${project}_db-data"
    if (Get-Command docker -ErrorAction SilentlyContinue) {
        $found = @(docker volume ls --quiet --filter "name=^${volume}$")
        if ($found -contains $volume) {
            Stop-Setup ("the volume $volume holds a database with the passwords used until now. Change root's there first, as " +
                'docs/operating-containers.md says under "Passwords", or delete all its data with: docker compose down --volumes')
        }
    }
}

function Get-RandomText([int]$Length) {
    $letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    $source = [Security.Cryptography.RandomNumberGenerator]::Create()
    $bytes = New-Object byte[] 1
    $text = New-Object Text.StringBuilder
    while ($text.Length -lt $Length) {
        $source.GetBytes($bytes)
        # 248 is the last multiple of 62 in a byte: above it, some letters would come more often.
        if ($bytes[0] -lt 248) { [void]$text.Append($letters[$bytes[0] % 62]) }
    }
    $text.ToString()
}

function Write-Text([string]$Path, [string]$Text) {
    [IO.File]::WriteAllText($Path, $Text, (New-Object Text.UTF8Encoding $false))
}

function New-Secret([string]$Name, [int]$Length) {
    if (-not (Test-Secret $Name)) { Write-Text "$folder/$Name" (Get-RandomText $Length) }
}

function Set-Setting([string]$Name, [string]$Value) {
    $lines = @()
    if (Test-Path '.env') { $lines = @(Get-Content '.env' -Encoding UTF8 | Where-Object { $_ -notlike "$Name=*" }) }
    Write-Text '.env' ((($lines + "$Name=$Value") -join "`n") + "`n")
}

New-Item -ItemType Directory -Force -Path $folder | Out-Null
# MySQL takes at most 32 characters for the account of replication.
foreach ($account in 'root', 'app', 'migrator', 'monitor', 'replication') { New-Secret "${account}_password" 32 }
New-Secret 'secret_key' 64
New-Secret 'admin_password' 16

if ($Tls -and -not (Test-Path "$folder/tls_key")) {
    # Available since .NET 7, which PowerShell 7.3 uses.
    if (-not ([Security.Cryptography.X509Certificates.X509Certificate2]).GetMethod('ExportCertificatePem')) {
        Stop-Setup 'PowerShell 7.3 is needed to make a certificate: run this with pwsh, or put your own files tls_certificate and tls_key there'
    }
    $key = [Security.Cryptography.ECDsa]::Create([Security.Cryptography.ECCurve+NamedCurves]::nistP256)
    $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new(
        "CN=$Tls", $key, [Security.Cryptography.HashAlgorithmName]::SHA256)
    $names = [Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder]::new()
    $names.AddDnsName($Tls)
    $request.CertificateExtensions.Add($names.Build())
    $now = [DateTimeOffset]::UtcNow
    $certificate = $request.CreateSelfSigned($now.AddHours(-1), $now.AddDays(825))
    Write-Text "$folder/tls_certificate" ($certificate.ExportCertificatePem() + "`n")
    Write-Text "$folder/tls_key" ($key.ExportPkcs8PrivateKeyPem() + "`n")
}

if ($Into) { exit 0 }
Set-Setting 'INVENTORY_SECRETS' "./$folder"
if (-not (Select-String -Quiet -Pattern '^HTTP_BIND=' -Path '.env')) {
    Set-Setting 'HTTP_BIND' '0.0.0.0'
}
if ($Tls) {
    Set-Setting 'COMPOSE_PATH_SEPARATOR' ':'
    Set-Setting 'COMPOSE_FILE' 'docker-compose.yml:deploy/compose.tls.yml'
    Set-Setting 'INVENTORY_ENV' 'production'
    $name = $Tls
    Set-Setting 'INVENTORY_HOSTS' "$name"
}
Write-Output "The passwords are files in $folder/, and .env points at them."
Write-Output "The inventory listens on $((Get-Content '.env') -match '^HTTP_BIND=' -replace '^HTTP_BIND=') (HTTP_BIND in .env)."
Write-Output "Start with: docker compose up --build -d"
Write-Output "Then log in as admin with the password in $folder/admin_password"
